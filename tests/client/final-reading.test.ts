import { afterEach, expect, it } from 'vitest';
import { type FinalValue, readAll } from '../../client/final-check.js';
import { AVOID_MS, type NamedProposer, Proposers } from '../../client/proposers.js';
import { type Answer, type KeyValueClient, NetworkError } from '../../src/http/client.js';
import { VirtualTime } from '../../verification/simulation/virtual-time.js';

const LIMIT_MS = 10_000;
/** What one request may take. */
const READ_MS = 3_000;
const PAUSE_MS = 100;

interface Asked {
  readonly atMs: number;
  readonly by: string;
  readonly key: string;
}

/** Undefined: it never answers. */
type Script = (asked: Asked) => object | Error | undefined;

/** Proposers that answer as a test says, whatever they are asked, and are avoided as real ones are. */
class ScriptedProposers extends Proposers {
  readonly asked: Asked[] = [];
  readonly #script: Script;
  readonly #time: VirtualTime;

  constructor(count: number, time: VirtualTime, script: Script) {
    const names = Array.from({ length: count }, (_, index) => `proposer-${index + 1}:8080`);
    super(names, () => '127.0.0.1:1', time);
    this.#script = script;
    this.#time = time;
  }

  override ask<Body>(proposer: NamedProposer, send: (client: KeyValueClient) => Promise<Answer<Body>>): Promise<Answer<Body>> {
    const get = (key: string): Promise<object> => {
      const asked = { atMs: this.#time.nowMs(), by: proposer.called, key };
      this.asked.push(asked);
      const answer = this.#script(asked);
      if (answer === undefined) return new Promise(() => undefined);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    return super.ask(proposer, () => send({ get } as unknown as KeyValueClient));
  }
}

const opened: Proposers[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const holds = (val: unknown) => ({ ok: true, status: 200, body: { ver: 1, val } });
const refuses = (code: string) => ({ ok: false, status: 503, code, message: 'why', body: {} });

/** Chance takes the first proposer that is not avoided. */
async function reading(script: Script, { keys = ['a'], count = 1, limitMs = LIMIT_MS } = {}) {
  const time = new VirtualTime();
  const proposers = new ScriptedProposers(count, time, script);
  opened.push(proposers);
  const values: ReadonlyMap<string, FinalValue> = await time.run(readAll(keys, proposers, () => 0, time, limitMs));
  return { a: values.get('a'), values: [...values.values()], asked: proposers.asked, endMs: time.nowMs(), pending: time.pending };
}

it('reads each key once where all is well, waits for nothing, and leaves no timer behind', async () => {
  const { values, asked, endMs, pending } = await reading(() => holds(7), { keys: ['a', 'b'] });
  expect({ values, requests: asked.length, endMs, pending }).toEqual({
    values: [{ val: 7 }, { val: 7 }],
    requests: 2,
    endMs: 0,
    pending: 0,
  });
});

it('takes a key that does not exist for zero', async () => {
  expect((await reading(() => refuses('KeyNotFound'))).a).toEqual({ val: 0 });
});

it('asks again for what was refused, after a pause, and for nothing else', async () => {
  let requests = 0;
  const { values, asked } = await reading(() => ((requests += 1) === 1 ? refuses('NotConfigured') : holds(7)), { keys: ['a', 'b'] });
  expect(values).toEqual([{ val: 7 }, { val: 7 }]);
  expect(asked.map(({ key, atMs }) => `${key} at ${atMs}`)).toEqual(['a at 0', 'b at 0', `a at ${PAUSE_MS}`]);
});

it('tells what refused a key until there was no time left', async () => {
  const { a, endMs } = await reading(() => refuses('NotConfigured'));
  expect([a, endMs]).toEqual([{ problem: 'proposer-1 answers NotConfigured: why' }, LIMIT_MS]);
});

it('leaves a proposer alone that does not answer, and asks another one', async () => {
  const { a, asked } = await reading(({ by }) => (by === 'proposer-1' ? undefined : holds(7)), { count: 2 });
  expect(a).toEqual({ val: 7 });
  expect(asked).toEqual([
    { atMs: 0, by: 'proposer-1', key: 'a' },
    { atMs: READ_MS + PAUSE_MS, by: 'proposer-2', key: 'a' },
  ]);
});

it('tells who did not answer, and tries that one again after a while', async () => {
  const { a, asked, endMs } = await reading(() => undefined);
  expect([a, endMs]).toEqual([{ problem: 'proposer-1 does not answer' }, LIMIT_MS + PAUSE_MS]);
  expect(asked.map(({ atMs }) => atMs)).toEqual([0, READ_MS + AVOID_MS, 2 * (READ_MS + AVOID_MS)]);
});

it('blames nobody who had less time than a request may take', async () => {
  let requests = 0;
  const refusedOnce: Script = () => ((requests += 1) === 1 ? refuses('NotConfigured') : undefined);
  expect((await reading(refusedOnce, { limitMs: READ_MS })).a).toEqual({ problem: 'proposer-1 answers NotConfigured: why' });
  expect((await reading(() => undefined, { limitMs: READ_MS - 1 })).a).toEqual({ problem: 'there was no time left to try' });
});

it('tells why a connection failed', async () => {
  const { a } = await reading(() => new NetworkError('connection refused'));
  expect(a).toEqual({ problem: 'proposer-1 does not answer (connection refused)' });
});

it('asks nobody where there is no time', async () => {
  const { a, asked } = await reading(() => holds(7), { limitMs: 0 });
  expect([a, asked]).toEqual([{ problem: 'there was no time left to try' }, []]);
});

it('hides no error that is not the network’s', async () => {
  await expect(reading(() => new TypeError('a bug'))).rejects.toThrow('a bug');
});
