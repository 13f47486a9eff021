import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ProgramCopy } from '../../../verification/variants/patch.js';
import type { Patch } from '../../../verification/variants/variant.js';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const copy = new ProgramCopy(project, mkdtempSync(join(project, 'dist', 'exhaustive-')));
afterAll(() => copy.remove());

/** These searches are over before the compiler that makes code fast has paid for itself: without it they take a third less of the processor. */
function run(folder: string, ...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--no-opt', join(folder, 'verification/exhaustive/main.js'), ...argv], { encoding: 'utf8' });
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
    expect(run(join(project, 'dist'), '--help').stdout).toMatch(/\n {2}w-w +\* .*\n[^]*\n {2}copy-c-c +- /);
  });
});

/** The monitor of the acceptors would see what is wrong first: whether anybody loses anything by it, clients tell. */
const UNMONITORED: Patch = {
  file: 'verification/checkers/acceptor-monitor.ts',
  find: 'if (compare(to.promise, from.promise) < 0) {',
  put: "if (compare(to.promise, from.promise) < 0 && key === '') {",
};

const ACCEPTOR = 'src/protocol/memory-acceptor.ts';
const ERASURE = 'src/redis/memory-collection.ts';
const COPYING = 'node-control/rescan/copying.ts';
const COPIES = 'src/redis/memory-copying.ts';
const FLOOR_TOLD = 'const floor = register.value === null && this.#memory.floor?.version;';

describe('a product that is broken', () => {
  const broken: [string, string, ...Patch[]][] = [
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
    [
      'takes any ballot for a key that was collected',
      'collect-c',
      UNMONITORED,
      { file: ACCEPTOR, find: 'floor = this.#memory.floor?.era ?? 0)', put: 'floor = 0)' },
    ],
    [
      'collects a tombstone that some acceptor does not have',
      'collect-late-d',
      {
        file: 'node-control/collection/survey.ts',
        find: 'present.length === held.length && present.every(({ ballot }) => compareBallots(ballot, top.ballot) === 0)',
        put: 'present.some(({ ballot }) => compareBallots(ballot, top.ballot) === 0)',
      },
    ],
    [
      'removes a tombstone that is not the one that was seen',
      'collect-cd-c',
      { file: ERASURE, find: 'compareBallots(register.ballot, ballot) === 0', put: 'remainsIn(memory, key)?.version !== undefined' },
    ],
    [
      'removes a tombstone although a round has its promise',
      'collect-c-c-any',
      UNMONITORED,
      { file: ERASURE, find: ' || register.promise.era >= era) continue;', put: ') continue;' },
    ],
    ['begins at version 1 again after a collection', 'collect-c', { file: ACCEPTOR, find: FLOOR_TOLD, put: 'const floor = 0;' }],
    [
      'tells the version of a floor for absent registers only',
      'collect-s-c',
      { file: ACCEPTOR, find: FLOOR_TOLD, put: FLOOR_TOLD.replace('= ', '= register.promise.counter === 0 && ') },
    ],
    [
      'forgets the floor with a promise over the empty value',
      'collect-sc-s',
      { file: 'src/protocol/proposer.ts', find: 'value: change.after, floor: change.floor }', put: 'value: change.after }' },
    ],
    [
      'copies what too few acceptors hold',
      'copy-g',
      { file: COPYING, find: 'const names = this.#names;', put: 'const names = this.#names.slice(1);' },
    ],
    [
      'copies over a higher ballot',
      'copy-a',
      { file: COPIES, find: ' || compareBallots(promise, ballot) > 0', put: '' },
      { file: COPIES, find: ' || compareBallots(ballot, accepted) <= 0', put: '' },
      UNMONITORED,
    ],
    [
      'copies under a ballot of the present era',
      'copy-a',
      UNMONITORED,
      {
        file: COPYING,
        find: 'registers.push(found);',
        put: `const [, counter, ...start] = found.ballot.split('.');
          registers.push({ ...found, ballot: [this.#configuration.era, Number(counter) + 3, ...start].join('.') });`,
      },
    ],
    ['copies although the key was collected since', 'copy-collect', { file: COPIES, find: 'isOver || ', put: '' }],
    ['copies over a promise', 'copy-c-c', UNMONITORED, { file: COPIES, find: ' || compareBallots(promise, ballot) > 0', put: '' }],
  ];

  it.each(broken)('that %s ends the program with 1, and the order of messages is told', (_, scenario, ...patches) => {
    copy.becomes(patches);
    const { status, stdout } = run(copy.folder, scenario);
    expect(stdout).toContain(`VIOLATION in ${scenario}`);
    expect(stdout).toMatch(/^ +\d+\. client 1 asks p1 for (v1\.1 over version 0|append .*)$/m);
    expect(status).toBe(1);
  });
});
