import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { copyWith, type Patch } from '../../../verification/variants/patch.js';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const copies = mkdtempSync(join(project, 'dist', 'exhaustive-'));
afterAll(() => rmSync(copies, { recursive: true }));

function run(folder: string, ...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(folder, 'verification/exhaustive/main.js'), ...argv], { encoding: 'utf8' });
}

describe('the program', () => {
  it('prints a line for each scenario, and ends with 0', () => {
    const { status, stdout } = run(join(project, 'dist'), 'w-g', 'w-s');
    expect(stdout.split('\n').map((line) => line.split(/\s+/)[0])).toEqual(['scenario', 'w-g', 'w-s', 'no', '']);
    expect(stdout).toContain(' 3,985,098 ');
    expect(status).toBe(0);
  });

  it('explains itself, and ends with 2 where it is misused', () => {
    expect(run(join(project, 'dist'), '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('ww-ww') as string });
    expect(run(join(project, 'dist'), 'nothing')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no such scenario') as string,
    });
    expect(run(join(project, 'dist'), '--fast')).toMatchObject({ status: 2 });
    expect(run(join(project, 'dist'), '--quick', 'ww-ww')).toMatchObject({ status: 2 });
  });
});

describe('a product that is broken', () => {
  const broken: [string, string, Patch][] = [
    [
      'learns from late conflicts',
      'w-w',
      {
        file: 'src/protocol/proposer.ts',
        find: 'send(acceptor(node, identities?.[node])),',
        put: `send(acceptor(node, identities?.[node])).then((reply) => {
          if (!reply.ok) this.#learn(new Map([[node, reply]]));
          return reply;
        }),`,
      },
    ],
    [
      'does not look for the name of an operation',
      'n-n',
      {
        file: 'src/store/records.ts',
        find: "const index = present.ops.findIndex((record) => typeof record !== 'string' && record.name === name);",
        put: 'const index = -1;',
      },
    ],
    [
      'begins a key anew after its deletion',
      'ad-c',
      { file: 'src/store/batch.ts', find: 'const ver = after.ver + 1;', put: 'const ver = (after.deleted ? 0 : after.ver) + 1;' },
    ],
    [
      'uses a ballot again',
      'wsw',
      { file: 'src/protocol/promises.ts', find: '    this.#cache.delete(key);\n    return promised;\n', put: '    return promised;\n' },
    ],
    [
      'lets its counter go back',
      'www-s',
      {
        file: 'src/protocol/ballot.ts',
        find: 'this.#counter = Math.max(this.#counter, seen.counter);',
        put: 'this.#counter = seen.counter;',
      },
    ],
    [
      'shares ballots between proposers',
      'w-w-accept-all',
      {
        file: 'src/protocol/ballot.ts',
        find: 'proposer: this.#proposer, incarnation: this.#incarnation };',
        put: 'proposer: 0, incarnation: 0 };',
      },
    ],
    [
      'has no era in its ballots',
      'grow-w-s',
      { file: 'src/protocol/ballot.ts', find: 'return { era: this.#era, counter', put: 'return { era: 0, counter' },
    ],
    [
      'says of an unknown write that it failed',
      'w-w',
      {
        file: 'src/store/batch.ts',
        find: 'attempt && this.#sent.has(attempt) ? failure : notApplied(failure)',
        put: 'notApplied(failure)',
      },
    ],
  ];

  it.each(broken)('that %s ends the program with 1, and the order of messages is told', (what, scenario, patch) => {
    const copy = join(copies, what.replaceAll(' ', '-'));
    copyWith([patch], project, copy);
    const { status, stdout } = run(copy, scenario);
    expect(stdout).toContain(`VIOLATION in ${scenario}`);
    expect(stdout).toMatch(/^ +\d+\. client 1 asks p1 for (v1\.1 over version 0|append .*)$/m);
    expect(status).toBe(1);
  });
});
