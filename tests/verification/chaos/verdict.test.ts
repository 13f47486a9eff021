import { describe, expect, it } from 'vitest';
import { type Evidence, judge } from '../../../verification/chaos/verdict.js';
import { History } from '../../../verification/checkers/history.js';

function evidence(changes: Partial<Evidence> = {}): Evidence {
  const history = new History(() => 0);
  history.invoke('c', 'k', { kind: 'cas', ver: 0, val: 'a', onto: null })({ kind: 'written', ver: 1 });
  return {
    history,
    finals: new Map([['k', { ver: 1, val: 'a' }]]),
    untold: [],
    total: { reads: 0, writes: 1, unknown: 0 },
    repeats: { unknown: 5, resolved: 4, known: 3, forgotten: 1 },
    faults: [],
    stalls: [],
    migration: { grown: 2, shrunk: 1, attempts: 20, failures: 3, collections: { tried: 9, done: 7, removed: 12 } },
    seconds: 60,
    demanded: 40,
    silent: [],
    failures: [],
    ...changes,
  };
}

describe('the verdict', () => {
  it('is good where all is in order', () => {
    const { ok, lines, violations } = judge(evidence());
    expect(ok).toBe(true);
    expect(violations).toEqual([]);
    expect(lines.join('\n')).toContain('linearizable, nothing lost');
    expect(lines.join('\n')).toContain('1 cas');
    expect(lines.join('\n')).toContain('5 of writes whose outcome was not known, which told that of 4; 3 of others; 1 writes forgotten');
    expect(lines.join('\n')).toContain('9, of which 7 came to their end; 12 registers removed');
    expect(lines.join('\n')).toContain('grown to three acceptors twice, shrunk to one once');
  });

  it.each([
    ['a write was lost', { finals: new Map([['k', { ver: 0, val: null }]]) }, 'VIOLATED'],
    ['a second was silent', { silent: [17] }, 'NO WRITE in 1: 17'],
    ['a key could not be read', { untold: ['k through proposer-2'] }, 'NOT TOLD'],
    ['the run could not be done', { failures: ['acceptor-1 does not answer'] }, 'FAILED'],
    ['no second had to show a write', { demanded: 0 }, 'NO PROOF'],
  ])('is bad where %s', (_what, changes, words) => {
    const { ok, lines } = judge(evidence(changes));
    expect(ok).toBe(false);
    expect(lines.join('\n')).toContain(words);
  });
});
