import { describe, expect, it } from 'vitest';
import { judge } from '../../client/final-check.js';

describe('the verdict', () => {
  const tally = (acknowledged: number, unknown: number, key = 'a') => ({ key, start: 10, acknowledged, unknown });
  const judged = (acknowledged: number, unknown: number, val: unknown) => judge([tally(acknowledged, unknown)], new Map([['a', { val }]]));

  it.each([
    [5, 0, 15],
    [5, 2, 15],
    [5, 2, 17],
    [0, 0, 10],
  ])('%i acknowledged and %i unknown allow %i', (acknowledged, unknown, val) => {
    const { ok, lines } = judged(acknowledged, unknown, val);
    expect(ok).toBe(true);
    expect(lines.at(-1)).toBe(
      `# in all: ${acknowledged} acknowledged <= ${val - 10} grown <= ${acknowledged} + ${unknown} unknown: nothing lost`,
    );
  });

  it('says LOST UPDATES with the key and the figures', () => {
    const { ok, lines } = judged(5, 2, 14);
    expect(ok).toBe(false);
    expect(lines).toContain('# a: LOST UPDATES: 5 acknowledged, 4 grown, 2 unknown (from 10 to 14)');
    expect(lines.at(-1)).toBe('# in all: 5 acknowledged, 4 grown, 2 unknown: LOST UPDATES (a)');
  });

  it('finds the loss of one key that the growth of another would hide in the sum', () => {
    const { ok, lines } = judge(
      [tally(5, 0), tally(5, 0, 'b'), tally(1, 0, 'c')],
      new Map([
        ['a', { val: 14 }],
        ['b', { val: 16 }],
        ['c', { val: 11 }],
      ]),
    );
    expect(ok).toBe(false);
    expect(lines.at(-1)).toBe('# in all: 11 acknowledged, 11 grown, 0 unknown: LOST UPDATES (a); GREW TOO MUCH (b)');
    expect(lines).toContain('# c: 1 acknowledged <= 1 grown <= 1 + 0 unknown: OK');
  });

  it('does not call growth beyond the unknown a loss, nor in order', () => {
    const { ok, lines } = judged(5, 2, 18);
    expect(ok).toBe(false);
    expect(lines.join('\n')).toMatch(
      /GREW TOO MUCH.*another writer was at work, or a write was applied twice\. Were other clients .* Give this one --key-prefix mine-/,
    );
    expect(lines.join('\n')).not.toContain('LOST');
  });

  it('calls a key that shrank lost, even where nothing was acknowledged', () => {
    expect(judged(0, 0, 9).lines.at(-1)).toContain('LOST UPDATES');
  });

  it('proves nothing by a key that cannot be read, or holds no number', () => {
    const unread = judge([tally(5, 0)], new Map([['a', { problem: 'nobody is there' }]]));
    expect(unread.ok).toBe(false);
    expect(unread.lines).toContain('# a: COULD NOT BE READ: nobody is there; 5 acknowledged, 0 unknown');
    expect(unread.lines.at(-1)).toMatch(/: COULD NOT BE READ \(a\)$/);
    const untried = judge([tally(5, 0)], new Map());
    expect(untried.ok).toBe(false);
    expect(untried.lines).toContain('# a: COULD NOT BE READ: nobody tried; 5 acknowledged, 0 unknown');
    const text = judged(5, 0, 'x'.repeat(100));
    expect(text.ok).toBe(false);
    expect(text.lines).toContain(`# a: NOT A NUMBER: "${'x'.repeat(59)}: another writer was at work`);
    expect(text.lines.at(-1)).toMatch(/: NOT A NUMBER \(a\)$/);
  });

  it('names each key that has the same trouble', () => {
    const values = new Map(['a', 'b'].map((key) => [key, { val: 9 }]));
    expect(judge([tally(1, 0), tally(1, 0, 'b')], values).lines.at(-1)).toMatch(/: LOST UPDATES \(a, b\)$/);
  });

  it('is no proof where no key was ever read', () => {
    const untouched = { key: 'a', start: undefined, acknowledged: 0, unknown: 0 };
    const { ok, lines } = judge([untouched], new Map());
    expect(ok).toBe(false);
    expect(lines.slice(1)).toEqual([
      '# a: never read, so never written: nothing to check',
      '# in all: NOTHING CHECKED: no key was ever read',
    ]);
    expect(judge([untouched, tally(1, 0, 'b')], new Map([['b', { val: 11 }]]))).toMatchObject({ ok: true });
  });

  it('says that it is no equality where outcomes stay unknown, and only there', () => {
    const bounds = '# the outcome of 2 writes stays unknown: the keys may have grown by so much more';
    expect(judged(5, 2, 16).lines.at(-2)).toBe(bounds);
    expect(judged(5, 1, 16).lines.at(-2)).toContain(' 1 write stays unknown');
    expect(judged(5, 0, 15).lines.join('\n')).not.toContain('stays unknown');
    expect(judged(5, 0, 16)).toMatchObject({ ok: false });
  });

  it('says under which condition it is exact', () => {
    expect(judged(0, 0, 10).lines[0]).toBe('# final check: exact only when this client is the only writer of these keys');
  });
});
