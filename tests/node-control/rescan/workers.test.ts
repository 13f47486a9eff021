import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Member } from '../../../node-control/nodes/nodes.js';
import { RescanWorkers } from '../../../node-control/rescan/workers.js';
import { systemTime } from '../../../src/store/system-time.js';

/** A proposer that does every key, and remembers which. */
function proposer(name: string, asked: string[]): Member {
  return {
    name,
    admin: {
      configuration: () => Promise.reject(new Error('not asked')),
      identity: () => Promise.reject(new Error('not asked')),
      configure: () => Promise.reject(new Error('not asked')),
      rescan: async (_era, keys) => {
        asked.push(...keys);
        await turn();
        return { ok: true, status: 200, body: { done: keys.length, failed: [] } };
      },
      close: async () => undefined,
    },
  };
}

it('each key goes to one proposer, once, though several parts of the program hand on keys at the same time', async () => {
  const asked: string[] = [];
  let count = 0;
  const workers = new RescanWorkers({
    proposers: [proposer('proposer-1', asked), proposer('proposer-2', asked)],
    ...{ era: 1, batchKeys: 3, pausesMs: [], failuresMax: 0, time: systemTime },
    onKeys: (more) => (count += more),
  });
  const pages = Array.from({ length: 12 }, (_, page) => Array.from({ length: 10 }, (__, index) => `${page} ${index}`));
  await workers.through(async (take) => {
    await Promise.all(pages.map(take));
  });
  expect(asked.sort()).toEqual(pages.flat().sort());
  expect(count).toBe(120);
});

it('a rescan that is given up names the cause', async () => {
  const failing = proposer('proposer-1', []);
  const rescan: Member['admin']['rescan'] = (_era, keys) => {
    const failed = keys.map((key) => ({ key, message: 'slow or stopped' }));
    return Promise.resolve({ ok: true, status: 200, body: { done: 0, failed } });
  };
  const workers = new RescanWorkers({
    proposers: [{ ...failing, admin: { ...failing.admin, rescan } }],
    ...{ era: 1, batchKeys: 1, pausesMs: [], failuresMax: 10, time: systemTime },
    onKeys: () => undefined,
  });
  const given = workers.through(async (take) => {
    for (const key of ['a', 'b', 'c', 'd', 'e']) await take([key]);
  });
  await expect(given).rejects.toThrow(
    /^no proposer gets any key done, so the rescan was given up; (none of them answers|the first: "\w": slow or stopped)\. Look/,
  );
});
