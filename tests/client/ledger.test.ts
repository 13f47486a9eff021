import { describe, expect, it } from 'vitest';
import { Ledger, NotANumber } from '../../client/ledger.js';

describe('the ledger', () => {
  it('takes the first value that was read as the start', () => {
    const ledger = new Ledger(['a']);
    ledger.saw('a', 5);
    ledger.saw('a', 9);
    expect(ledger.tallies()).toEqual([{ key: 'a', start: 5, acknowledged: 0, unknown: 0 }]);
  });

  it('counts a write as unknown until an answer says otherwise', () => {
    const ledger = new Ledger(['a']);
    const first = ledger.sends('a');
    ledger.sends('a')('unknown');
    ledger.sends('a');
    const third = ledger.sends('a');
    const before = ledger.tallies();
    first('acknowledged');
    third('refused');
    expect(before).toMatchObject([{ acknowledged: 0, unknown: 4 }]);
    expect(ledger.tallies()).toMatchObject([{ acknowledged: 1, unknown: 2 }]);
  });

  it('knows the highest version that it was told of a key', () => {
    const ledger = new Ledger(['a', 'b']);
    for (const ver of [3, 7, 5]) ledger.saw('a', 1, ver);
    expect(['a', 'b'].map((key) => ledger.version(key))).toEqual([7, undefined]);
  });

  it.each([null, 'text', 1.5, {}, 2 ** 53 - 1, true])('refuses to count on from %j', (val) => {
    expect(() => new Ledger(['a']).saw('a', val)).toThrow(NotANumber);
  });

  it('shows the beginning of what it cannot count on from, and says what to do', () => {
    const saw = (): unknown => new Ledger(['a']).saw('a', 'x'.repeat(100));
    expect(saw).toThrow(
      `a holds "${'x'.repeat(59)}, not a whole number: another program writes there. Choose keys of your own: --key-prefix NAME`,
    );
  });

  it('keeps no books of a key that is not one of its own', () => {
    expect(() => new Ledger(['a']).sends('b')).toThrow(new RangeError('not a key of this client: b'));
  });
});
