import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLinearizability } from '../../../verification/checkers/linearizability.js';
import type { RecordedOperation } from '../../../verification/checkers/history.js';
import { ednHistory } from '../../../verification/histories/edn.js';
import { historyFiles } from '../../../verification/histories/history-files.js';
import { jepsenLog } from '../../../verification/histories/jepsen-log.js';
import { run } from '../../../verification/simulation/run.js';
import { settingsFor } from '../../../verification/simulation/settings.js';
import { bentHistory, trueHistory, trueNumbers } from '../checkers/random-histories.js';
import { told } from '../checkers/told.js';
import { Keyword, readEdn } from './edn-reader.js';
import { isRegister, type ModelOperation, paired } from './register-model.js';

const plain = (value: unknown): unknown => {
  if (value instanceof Keyword) return value.name;
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, each]) => [name, plain(each)]));
  return Array.isArray(value) ? value.map(plain) : value;
};
type Line = Record<string, unknown> & { process: number; type: string; f: string; value: unknown };
const fromEdn = (text: string): Line[] => readEdn(text).map((each) => plain(each) as Line);

/** The lines of a log that are of one of these forms, as Porcupine's tests read them; all others they leave out. */
const FORMS = [
  /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke)\s+:(read)\s+(nil)$/,
  /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke|ok)\s+:(write)\s+(\d+)$/,
  /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke|ok)\s+:(cas)\s+\[(\d+)\s+(\d+)\]$/,
  /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(ok)\s+:(read)\s+(nil|\d+)$/,
  /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(info)\s+:(write|cas)\s+:timed-out$/,
];
const fromLog = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const words = FORMS.map((form) => form.exec(line)).find((found) => found !== null);
      expect(words, line).toBeDefined();
      const [, process, type = '', f = '', ...values] = words ?? [];
      const numbers = values.map((value) => (value === 'nil' ? null : Number(value)));
      return { process: Number(process), type, f, value: f === 'cas' ? numbers : (numbers[0] ?? null) };
    });

const HISTORY = `
  A put 0 red
  B get
  A written
  B 1 red
  B append blue 1
  A delete
  B written 2 red+blue
  A unknown
  C get
  A put 2 green over red+blue
  C refused
  A 2 red+blue
  C put 0 white as N
  C unknown
  B put 0 white as N
  B written
  D set black
`;

describe('a history in EDN', () => {
  it('has each operation as it was: who, what, when, and what became of it', () => {
    const line = (text: string): string =>
      ednHistory(told(HISTORY))
        .split('\n')
        .find((each) => each.includes(text)) ?? '';
    expect(line(':index 0,')).toBe('{:type :invoke, :f :cas, :value [nil "red"], :process 0, :time 10000000, :index 0, :client "A"}');
    const events = fromEdn(ednHistory(told(HISTORY)));
    expect(events.map(({ process, type, f, value, time, client }) => [process, type, f, value, Number(time) / 1e6, client])).toEqual([
      [0, 'invoke', 'cas', [null, 'red'], 10, 'A'],
      [1, 'invoke', 'read', null, 20, 'B'],
      [0, 'ok', 'cas', [null, 'red'], 30, 'A'],
      [1, 'ok', 'read', 'red', 40, 'B'],
      [0, 'invoke', 'cas', ['red', 'red blue'], 50, 'B'],
      [1, 'invoke', 'write', null, 60, 'A'],
      [0, 'ok', 'cas', ['red', 'red blue'], 70, 'B'],
      // Process 1 does nothing any more.
      [1, 'info', 'write', null, 80, 'A'],
      [0, 'invoke', 'read', null, 90, 'C'],
      [2, 'invoke', 'cas', ['red blue', 'green'], 100, 'A'],
      [0, 'fail', 'read', null, 110, 'C'],
      [2, 'fail', 'cas', ['red blue', 'green'], 120, 'A'],
      // Sent twice under its name: one operation, from the first sending to the answer.
      [0, 'invoke', 'cas', [null, 'white'], 130, 'C'],
      [0, 'ok', 'cas', [null, 'white'], 160, 'C'],
      [2, 'invoke', 'write', 'black', 170, 'D'],
    ]);
    expect(events.map(({ index }) => index)).toEqual([...events.keys()]);
    expect(events.flatMap(({ version }) => version ?? [])).toEqual([1, 1, 2, 1]);
    expect(events.flatMap(({ error }) => (error === undefined ? [] : [error]))).toEqual([
      'unknown',
      'refused',
      ['mismatch', 2, 'red blue'],
    ]);
  });

  it('quotes what a text holds', () => {
    const [operation] = told('A put 0 red') as [RecordedOperation];
    const text = 'a "quoted" \\ [nil]\n}';
    const request = { kind: 'cas' as const, ver: 0, val: text, onto: null };
    expect(fromEdn(ednHistory([{ ...operation, request }]))[0]?.value).toEqual([null, text]);
  });

  it('leaves a number a number, and an add of which nobody was told an add', () => {
    const events = fromEdn(ednHistory(told('A add 4\nB add 2\nB written 2 6\nA unknown\nC add 9\nC unknown\nB get\nB 2 6')));
    expect(events.map(({ type, f, value }) => [type, f, value])).toEqual([
      ['invoke', 'add', 4],
      ['invoke', 'cas', [4, 6]],
      ['ok', 'cas', [4, 6]],
      ['info', 'add', 4],
      ['invoke', 'add', 9],
      ['info', 'add', 9],
      ['invoke', 'read', null],
      ['ok', 'read', 6],
    ]);
  });
});

describe('a history as a log of Jepsen', () => {
  it('has numbers in place of values, and a read in place of a cas that did not match; what was refused is left out', () => {
    expect(jepsenLog(told(HISTORY))).toBe(
      [
        '3\t:invoke\t:write\t0',
        '3\t:ok\t:write\t0',
        '0\t:invoke\t:cas\t[0 1]',
        '1\t:invoke\t:read\tnil',
        '0\t:ok\t:cas\t[0 1]',
        '1\t:ok\t:read\t1',
        '0\t:invoke\t:cas\t[1 2]',
        '1\t:invoke\t:write\t0',
        '0\t:ok\t:cas\t[1 2]',
        '1\t:info\t:write\t:timed-out',
        '2\t:invoke\t:read\tnil',
        '2\t:ok\t:read\t2',
        '0\t:invoke\t:cas\t[0 3]',
        '0\t:ok\t:cas\t[0 3]',
        '2\t:invoke\t:write\t4',
      ]
        .map((line) => `INFO  jepsen.util - ${line}\n`)
        .join(''),
    );
  });

  it('cannot have an add of which nobody was told what it made', () => {
    expect(() => jepsenLog(told('A add 4\nA unknown'))).toThrow("nobody was told what A's add of 4 made");
  });
});

describe('a checker of registers', () => {
  const files: readonly [string, (history: readonly RecordedOperation[]) => ModelOperation[]][] = [
    ['EDN', (history) => paired(fromEdn(ednHistory(history)))],
    ['the log', (history) => paired(fromLog(jepsenLog(history)))],
  ];

  it.each(files)('finds what a register answered to be right, in %s', (_name, operationsIn) => {
    fc.assert(
      fc.property(trueHistory, (history) => {
        expect(isRegister(operationsIn(history))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds what a register of numbers answered to be right', () => {
    fc.assert(
      fc.property(trueNumbers, (history) => {
        expect(isRegister(paired(fromEdn(ednHistory(history))))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(files)(
    'finds no fault in %s where the checkers of versions find none, and finds some of what they find',
    (_name, operationsIn) => {
      const found = { both: 0, versionsOnly: 0 };
      fc.assert(
        fc.property(bentHistory, (history) => {
          const isRight = isRegister(operationsIn(history));
          if (checkLinearizability(history) === undefined) expect(isRight).toBe(true);
          else found[isRight ? 'versionsOnly' : 'both'] += 1;
        }),
        { numRuns: 2_000, seed: 1 },
      );
      // Most of these are wrong in their versions only, which these tools do not look at.
      expect(found.both).toBeGreaterThan(found.versionsOnly / 10);
    },
  );

  it('finds a run of the simulation to be right, key by key, as it is written to files', async () => {
    const { history } = await run(settingsFor(12, { scenario: 'majority', operations: 60 }));
    for (const ending of ['edn', 'log']) {
      const written = historyFiles(`run.${ending}`, history.operations);
      expect(written.map(({ file }) => file)).toEqual(
        history.keys.length === 1 ? [`run.${ending}`] : history.keys.map((key) => `run.${key}.${ending}`),
      );
      for (const { text, why } of written) {
        if (why !== undefined) expect(why).toContain('nobody was told');
        else expect(isRegister(paired(ending === 'edn' ? fromEdn(text ?? '') : fromLog(text ?? '')))).toBe(true);
      }
    }
  });

  it('is given no file of another kind', () => {
    expect(() => historyFiles('run.json', [])).toThrow('a history is written as edn or log, by the end of the file');
  });
});
