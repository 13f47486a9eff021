import { describe, expect, it } from 'vitest';
import { applyChange, type ChangeFunction } from '../../../src/protocol/change.js';

/** What a caller without types may hand over. */
const untyped = (change: (value: unknown) => unknown): ChangeFunction => change as ChangeFunction;

describe('a change function is held to its contract', () => {
  it('returns a text or null', () => {
    for (const [returned, what] of [
      [7, 'number'],
      [undefined, 'undefined'],
      [{}, 'object'],
    ] as const) {
      const message = `a change function returns a text or null, not ${what}`;
      expect(() =>
        applyChange(
          untyped(() => returned),
          'v',
        ),
      ).toThrow(new TypeError(message));
    }
    expect(applyChange(() => null, 'v')).toEqual({ before: 'v', after: null, floor: undefined });
  });

  it('returns no empty text, which a Redis acceptor could not tell from the empty register', () => {
    expect(() => applyChange(() => '', 'v')).toThrow(
      new TypeError('a change function returns no empty text: null stands for the empty register'),
    );
  });

  it('is pure: of one value, and one floor, it makes one value', () => {
    let calls = 0;
    const count: ChangeFunction = () => `call ${(calls += 1)}`;
    applyChange(count, 'v');
    expect(() => applyChange(count, 'v')).toThrow(new TypeError('a change function is pure: this one made two values of the same one'));
    // It may make another one of another value, and of the empty register under another floor.
    expect(applyChange(count, 'w').after).toBe('call 3');
    expect(applyChange(count, null, 1).after).toBe('call 4');
    expect(applyChange(count, null, 2).after).toBe('call 5');
    expect(() => applyChange(count, null, 2)).toThrow(TypeError);
  });

  it('is told the floor for the empty register alone', () => {
    const told: ChangeFunction = (value, floor) => `${String(value)} ${String(floor)}`;
    expect(applyChange(told, null, 7)).toEqual({ before: null, after: 'null 7', floor: 7 });
    expect(applyChange(told, 'v', 7)).toEqual({ before: 'v', after: 'v undefined', floor: undefined });
  });
});
