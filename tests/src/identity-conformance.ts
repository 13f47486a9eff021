import { StrangerError } from '../../src/protocol/errors.js';
import { describe, expect, it } from 'vitest';
import { type Acceptor } from '../../src/protocol/acceptor.js';
import { type Ballot, ZERO_BALLOT } from '../../src/protocol/ballot.js';

const b = (counter: number): Ballot => ({ era: 1, counter, proposer: 1, incarnation: 1 });
const promised = (accepted: Ballot = ZERO_BALLOT, value: string | null = null): object => ({ ok: true, ballot: accepted, value });
const conflict = (barrier: Ballot): object => ({ ok: false, conflict: barrier });
const OK = { ok: true };
const MEANT = 'acceptor-1#meant';

/** Whom the sender means, and who the acceptor is by now. Undefined: it does not matter who, and it has forgotten. */
export interface Acquaintance {
  readonly meant?: string;
  readonly present?: string;
}

/**
 * What every acceptor does, whatever it is made of, where the sender says whom it means. Each test has keys of its own.
 * @param acceptor its identity is not checked
 * @param known the same one, as it is for somebody who knew it before its identity changed; for a message or a few
 */
export function describeIdentity(name: string, acceptor: () => Acceptor, known: (who: Acquaintance) => Promise<Acceptor>): void {
  let keys = 0;
  const freshKey = (): string => `${name} identity ${(keys += 1)}`;

  describe(`${name}: identity`, () => {
    const messages: [string, (to: Acceptor, key: string) => Promise<unknown>][] = [
      ['prepare', (to, key) => to.prepare(key, b(7))],
      ['accept', (to, key) => to.accept(key, b(7), 'w', b(8))],
      ['read', (to, key) => to.read(key)],
    ];
    const strangers: [string, Acquaintance, RegExp][] = [
      ['another one', { meant: MEANT, present: 'acceptor-1#other' }, /^this is acceptor-1#other, not acceptor-1#meant$/],
      ['one that has forgotten who it is', { meant: MEANT }, /^this is an acceptor that has forgotten who it is, not acceptor-1#meant$/],
      ['one with a longer name', { meant: MEANT, present: `${MEANT}2` }, /^this is acceptor-1#meant2, not/],
    ];
    const cases = messages.flatMap(([kind, send]) => strangers.map(([whom, who, words]) => [kind, whom, send, who, words] as const));

    it.each(cases)('a %s that reaches %s is refused where the register is absent, and changes nothing', async (_, __, send, who, words) => {
      const key = freshKey();
      const refused = send(await known(who), key);
      await expect(refused).rejects.toThrow(StrangerError);
      await expect(refused).rejects.toThrow(words);
      expect(await acceptor().read(key)).toMatchObject({ ballot: ZERO_BALLOT, value: null });
      expect(await acceptor().prepare(key, b(1))).toEqual(promised());
    });

    it('is not looked at where the register is present: a promise or a value is not forgotten while it stands there', async () => {
      const key = freshKey();
      await acceptor().accept(key, b(3), 'v', b(4));
      const promiseOnly = freshKey();
      await acceptor().prepare(promiseOnly, b(3));
      for (const who of [{ meant: MEANT, present: 'acceptor-1#other' }, { meant: MEANT }]) {
        const stranger = await known(who);
        expect(await stranger.read(key)).toMatchObject({ ballot: b(3), value: 'v' });
        expect(await stranger.read(promiseOnly)).toMatchObject({ ballot: ZERO_BALLOT, value: null });
        expect(await stranger.prepare(key, b(4))).toEqual(conflict(b(4)));
        expect(await stranger.prepare(promiseOnly, b(3))).toEqual(conflict(b(3)));
        expect(await stranger.accept(key, b(3), 'v', b(4))).toEqual(OK);
      }
      const stranger = await known({ meant: MEANT });
      expect(await stranger.prepare(key, b(5))).toEqual(promised(b(3), 'v'));
      expect(await stranger.accept(promiseOnly, b(3), 'w', b(4))).toEqual(OK);
    });

    it.each([
      ['of the one that is meant', { meant: MEANT, present: MEANT }],
      ['of whomever, where nobody is meant', { present: 'acceptor-1#other' }],
      ['of nobody, where nobody is meant', {}],
    ])('%s passes, also where the register is absent', async (_, who) => {
      const one = await known(who);
      const [read, prepared, taken] = [freshKey(), freshKey(), freshKey()];
      expect(await one.read(read)).toMatchObject({ ballot: ZERO_BALLOT, value: null });
      expect(await one.prepare(prepared, b(1))).toEqual(promised());
      expect(await one.accept(taken, b(1), 'v', b(2))).toEqual(OK);
      expect(await acceptor().read(taken)).toMatchObject({ ballot: b(1), value: 'v' });
    });
  });
}
