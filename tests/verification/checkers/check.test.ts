import { expect, it } from 'vitest';
import { checkHistory } from '../../../verification/checkers/check.js';
import { History } from '../../../verification/checkers/history.js';

const get = { kind: 'get' } as const;
const put = (ver: number, val: string, onto: string | null = null): { kind: 'cas'; ver: number; val: string; onto: string | null } => ({
  kind: 'cas',
  ver,
  val,
  onto,
});
const state = (ver: number, val: string | null): { kind: 'state'; ver: number; val: string | null } => ({ kind: 'state', ver, val });

/** Key x is written and read; key y is written twice. */
function goodHistory(): History {
  const history = new History(() => 0);
  history.invoke('A', 'x', put(0, 'a'))({ kind: 'written', ver: 1 });
  history.invoke('B', 'y', put(0, 'b'))({ kind: 'written', ver: 1 });
  history.invoke('A', 'x', get)(state(1, 'a'));
  history.invoke('B', 'y', put(1, 'c', 'b'))({ kind: 'written', ver: 2 });
  return history;
}

const FINALS = new Map<string, { ver: number; val: string | null }>([
  ['x', { ver: 1, val: 'a' }],
  ['y', { ver: 2, val: 'c' }],
]);

it('finds nothing wrong in a good history', () => {
  expect(checkHistory(goodHistory(), FINALS)).toEqual([]);
  expect(checkHistory(new History(() => 0), new Map())).toEqual([]);
});

it('judges each key by itself, and names it', () => {
  const history = goodHistory();
  history.invoke('A', 'x', get)(state(0, null));
  history.invoke('A', 'y', get)(state(1, 'b'));
  expect(checkHistory(history, FINALS).map(({ rule, key }) => [rule, key])).toEqual([
    ['linearizability', 'x'],
    ['linearizability', 'y'],
  ]);
});

it('asks that all acknowledged writes live on, and that their number fits', () => {
  const finals = new Map([...FINALS, ['y', { ver: 1, val: 'b' }]]);
  expect(checkHistory(goodHistory(), finals).map(({ rule, key }) => [rule, key])).toEqual([
    ['lineage', 'y'],
    ['final state', 'y'],
  ]);
});

it('does not pass a key of which nobody knows what it held in the end', () => {
  const history = goodHistory();
  history.invoke('A', 'x', get)(state(0, null));
  expect(checkHistory(history, new Map([...FINALS].slice(1)))).toMatchObject([
    { rule: 'linearizability', key: 'x' },
    { rule: 'final state', key: 'x', message: 'nobody knows what the key held in the end' },
  ]);
});

it('judges a key that nobody used', () => {
  expect(checkHistory(goodHistory(), new Map([...FINALS, ['z', { ver: 0, val: null }]]))).toEqual([]);
  expect(checkHistory(goodHistory(), new Map([...FINALS, ['z', { ver: 1, val: 'a' }]])).map(({ key }) => key)).toEqual(['z', 'z']);
});

it('asks that nothing was applied twice', () => {
  const history = goodHistory();
  const answer = { kind: 'written', ver: 4, val: 'd e d' } as const;
  history.invoke('A', 'y', { kind: 'append', val: 'd' })(answer);
  expect(checkHistory(history, FINALS).map(({ rule }) => rule)).toContain('exactly once');
});
