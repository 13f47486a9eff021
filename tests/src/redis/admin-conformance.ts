import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Acceptor } from '../../../src/protocol/acceptor.js';
import { type Ballot, formatBallot, ZERO_BALLOT } from '../../../src/protocol/ballot.js';
import type { AcceptorAdmin } from '../../../src/redis/acceptor-admin.js';

const FIRST = 'acceptor-1:6379#first';
const SECOND = 'acceptor-1:6379#second';
const ballot = (era: number, counter: number): Ballot => ({ era, counter, proposer: 1, incarnation: 1 });

/**
 * What the control node may rely on, whatever an acceptor is made of.
 * @param connect opens another connection, for one test
 * @param acceptor the same one, as proposers talk to it; its identity is not checked
 */
export function describeAdmin(name: string, connect: () => Promise<AcceptorAdmin>, acceptor: () => Promise<Acceptor>): void {
  const keysOf = async (admin: AcceptorAdmin): Promise<string[]> => {
    const found = new Set<string>();
    for await (const page of admin.keys()) for (const key of page) found.add(key);
    return [...found].sort();
  };

  describe(`${name}, looked at as a whole`, () => {
    beforeEach(async () => {
      await (await connect()).wipe();
    });

    it('is empty at first, and nobody', async () => {
      const admin = await connect();
      expect([await keysOf(admin), await admin.size(), await admin.highestEra(), await admin.identity()]).toEqual([[], 0, 0, undefined]);
    });

    it('lists and counts every register, also one that holds a promise alone', async () => {
      const to = await acceptor();
      const keys = ['a', 'b', 'identity', '*', 'r:x', ''];
      for (const key of keys) await to.accept(key, ballot(1, 1), 'v', ballot(1, 2));
      await to.prepare('promised', ballot(1, 7));
      const admin = await connect();
      await admin.adopt(FIRST);
      expect(await keysOf(admin)).toEqual([...keys, 'promised'].sort());
      expect(await admin.size()).toBe(keys.length + 1);
    });

    it('has seen the era of its highest promise', async () => {
      const to = await acceptor();
      const admin = await connect();
      await to.accept('a', ballot(9, 500), 'v', ballot(9, 501));
      expect(await admin.highestEra()).toBe(9);
      await to.accept('b', ballot(3, 1), 'v', ballot(10, 1));
      expect(await admin.highestEra()).toBe(10);
      await to.prepare('c', ballot(11, 1));
      expect(await admin.highestEra()).toBe(11);
    });

    it('is given an identity once: who comes later is told the one that it has', async () => {
      const admin = await connect();
      expect(await admin.adopt(FIRST)).toBe(FIRST);
      expect(await admin.adopt(SECOND)).toBe(FIRST);
      expect(await (await connect()).identity()).toBe(FIRST);
    });

    it('loses its identity with its data, and joins again as another one', async () => {
      const admin = await connect();
      await admin.adopt(FIRST);
      await (await acceptor()).accept('a', ballot(1, 1), 'v', ballot(1, 2));
      expect(await admin.wipe({ identity: FIRST })).toBe(1);
      expect([await keysOf(admin), await admin.size(), await admin.identity()]).toEqual([[], 0, undefined]);
      expect(await admin.wipe({ identity: undefined })).toBe(0);
      expect(await admin.adopt(SECOND)).toBe(SECOND);
    });

    it('is not wiped in place of the one that was looked at', async () => {
      const admin = await connect();
      await admin.adopt(FIRST);
      await (await acceptor()).accept('a', ballot(1, 1), 'v', ballot(1, 2));
      for (const identity of [undefined, SECOND, 'acceptor-1:6379#firs']) {
        await expect(admin.wipe({ identity })).rejects.toThrow('it joined under a new identity meanwhile');
      }
      expect([await admin.size(), await admin.identity()]).toEqual([1, FIRST]);
    });

    it.each([
      ['joins', (by: AcceptorAdmin) => by.adopt(FIRST)],
      ['is wiped', (by: AcceptorAdmin) => by.wipe()],
    ])('that %s cuts off for good whoever looked at it before: what was on its way never arrives', async (_, act) => {
      const [slow, by] = [await connect(), await connect()];
      const identity = await slow.identity();
      await act(by);
      // Long enough to connect again.
      await sleep(300);
      for (const late of [() => slow.wipe({ identity }), () => slow.adopt(SECOND), () => slow.identity(), () => slow.size()]) {
        await expect(late()).rejects.toThrow(/closed/);
      }
      await expect(keysOf(slow)).rejects.toThrow(/closed/);
      expect(await (await connect()).identity()).toBe(await by.identity());
    });

    describe('when it is collected', () => {
      const NEXT = ballot(9, 2);
      const DELETED = '{"ver":7,"val":null,"ops":["a"],"deleted":true}';
      /** A tombstone under 1.1, and what was promised along with it. */
      const buried = async (key: string, next = ballot(1, 2), text: string | null = DELETED): Promise<void> => {
        expect(await (await acceptor()).accept(key, ballot(1, 1), text, next)).toEqual({ ok: true });
      };
      const tombstone = (key: string, version = 7): { key: string; ballot: Ballot; version: number } => ({
        key,
        ballot: ballot(1, 1),
        version,
      });

      it('tells what is left of each register: a tombstone, no value at all, a promise alone, a value, nothing', async () => {
        await buried('deleted');
        await buried('empty', ballot(1, 2), null);
        const values = [
          '{"ver":7,"val":{"deleted":true},"ops":["a"]}',
          '"deleted":true}',
          '{"ver":7,"val":",\\"deleted\\":true}","ops":[]}',
        ];
        for (const [index, value] of values.entries()) await buried(`value ${index}`, ballot(1, 2), value);
        await (await acceptor()).prepare('promised', ballot(1, 7));
        const left = { ballot: ballot(1, 1), version: undefined };
        const keys = ['deleted', 'absent', 'empty', 'promised', ...Array.from(values.keys(), (index) => `value ${index}`)];
        expect(await (await connect()).remains(keys)).toEqual([
          { key: 'deleted', ballot: ballot(1, 1), version: 7 },
          undefined,
          { key: 'empty', ballot: ballot(1, 1), version: 0 },
          { key: 'promised', ballot: ZERO_BALLOT, version: 0 },
          ...Array.from(values.keys(), (index) => ({ key: `value ${index}`, ...left })),
        ]);
      });

      it('has a floor that only rises, in each part by itself, and lasts as long as its data', async () => {
        const admin = await connect();
        const raised = async (era: number, version: number): Promise<object> => {
          await admin.raiseFloor({ era, version });
          return (await connect()).floor();
        };
        expect(await admin.floor()).toEqual({ era: 0, version: 0 });
        expect(await raised(9, 100)).toEqual({ era: 9, version: 100 });
        expect(await raised(10, 99)).toEqual({ era: 10, version: 100 });
        expect(await raised(4, Number.MAX_SAFE_INTEGER)).toEqual({ era: 10, version: Number.MAX_SAFE_INTEGER });
        expect([await admin.size(), await keysOf(admin), await admin.highestEra()]).toEqual([0, [], 10]);
        await admin.wipe();
        expect(await (await connect()).floor()).toEqual({ era: 0, version: 0 });
      });

      it('removes what lies under the floor, and takes no ballot of an earlier era for it again', async () => {
        const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
        for (const key of keys) await buried(key);
        await buried('empty', ballot(1, 2), null);
        await (await acceptor()).prepare('promised', ballot(8, 7));
        const admin = await connect();
        await admin.raiseFloor({ era: 9, version: 7 });
        const promised = { key: 'promised', ballot: ZERO_BALLOT, version: 0 };
        const found = [...keys.map((key) => tombstone(key)), tombstone('empty', 0), promised];
        expect(await admin.erase(9, found)).toBe(22);
        expect([await admin.erase(9, found), await admin.size()]).toEqual([0, 0]);
        const late = await acceptor();
        const refused = { ok: false, conflict: { era: 9, counter: 0, proposer: 0, incarnation: 0 } };
        for (const key of ['k0', 'promised', 'never heard of']) {
          expect(await late.accept(key, ballot(8, 1000), 'old', ballot(8, 1001))).toEqual(refused);
          expect(await late.prepare(key, ballot(8, 1000))).toEqual(refused);
          expect(await late.read(key)).toEqual({ promise: ZERO_BALLOT, ballot: ZERO_BALLOT, value: null });
          expect(await late.prepare(key, ballot(9, 1))).toEqual({ ok: true, ballot: ZERO_BALLOT, value: null, floor: 7 });
        }
        expect(await late.prepare('k0', NEXT), 'holding a promise alone').toMatchObject({ ok: true, floor: 7 });
        expect(await late.accept('k0', NEXT, null, NEXT)).toEqual({ ok: true });
        expect(await late.prepare('k0', ballot(9, 3)), 'holding the empty value').toMatchObject({ ballot: NEXT, floor: 7 });
        expect(await late.accept('k0', ballot(9, 3), 'new', ballot(9, 4))).toEqual({ ok: true });
        expect(await late.prepare('k0', ballot(9, 5))).toEqual({ ok: true, ballot: ballot(9, 3), value: 'new' });
      });

      it.each<[string, (admin: AcceptorAdmin) => Promise<unknown>]>([
        ['there is no floor', (admin) => admin.erase(9, [tombstone('k')])],
        [
          'its floor is of an earlier era',
          async (admin) => (await admin.raiseFloor({ era: 8, version: 7 }), admin.erase(9, [tombstone('k')])),
        ],
        [
          'its floor has an earlier version',
          async (admin) => (await admin.raiseFloor({ era: 9, version: 6 }), admin.erase(9, [tombstone('k')])),
        ],
        [
          'it holds another ballot',
          async (admin) => (await admin.raiseFloor({ era: 9, version: 7 }), admin.erase(9, [{ ...tombstone('k'), ballot: ballot(1, 2) }])),
        ],
        [
          'it holds a value where a promise alone was seen',
          async (admin) => (await admin.raiseFloor({ era: 9, version: 7 }), admin.erase(9, [{ ...tombstone('k'), ballot: ZERO_BALLOT }])),
        ],
        [
          'a round of the new era has its promise',
          async (admin) => {
            await admin.raiseFloor({ era: 10, version: 7 });
            await (await acceptor()).prepare('k', ballot(9, 1));
            return admin.erase(9, [tombstone('k')]);
          },
        ],
      ])('keeps a register where %s', async (_, erase) => {
        await buried('k');
        const admin = await connect();
        expect(await erase(admin)).toBe(0);
        expect(await (await acceptor()).read('k')).toMatchObject({ ballot: ballot(1, 1), value: DELETED });
      });

      it('keeps a promise of the new era alone, and removes the others of the same call', async () => {
        const to = await acceptor();
        await to.prepare('live', ballot(9, 1));
        await to.prepare('void', ballot(8, 1));
        const admin = await connect();
        await admin.raiseFloor({ era: 9, version: 0 });
        const seen = ['live', 'void'].map((key) => ({ key, ballot: ZERO_BALLOT, version: 0 }));
        expect(await admin.erase(9, seen)).toBe(1);
        expect(await keysOf(admin)).toEqual(['live']);
      });
    });

    describe('when registers are copied', () => {
      const text = (counter: number): string => formatBallot(ballot(1, counter));
      const put = async (key: string, at: Ballot, text: string | null, next = at): Promise<void> => {
        expect(await (await acceptor()).accept(key, at, text, next)).toEqual({ ok: true });
      };

      it('tells how much each register holds, and what', async () => {
        await put('a', ballot(1, 1), 'é', ballot(1, 2));
        await put('empty', ballot(1, 3), null);
        await (await acceptor()).prepare('promised', ballot(1, 7));
        const admin = await connect();
        const keys = ['a', 'absent', 'empty', 'promised'];
        expect(await admin.holdings(keys)).toEqual([`${text(1)}:2`, '-', `${text(3)}:0`, ':0']);
        expect(await admin.accepted(keys)).toEqual([
          { key: 'a', ballot: text(1), value: 'é' },
          undefined,
          { key: 'empty', ballot: text(3), value: null },
          { key: 'promised', ballot: '', value: null },
        ]);
      });

      it('takes a copy where it holds less, and promises its ballot; each is told what is accepted then', async () => {
        await put('lower', ballot(1, 9), 'old');
        await put('higher', ballot(1, 11), 'new');
        await put('same', ballot(1, 10), 'here');
        await (await acceptor()).prepare('promised to it', ballot(1, 10));
        await (await acceptor()).prepare('promised to another', ballot(1, 11));
        const keys = ['absent', 'lower', 'higher', 'same', 'promised to it', 'promised to another', 'empty'];
        const registers = keys.map((key) => ({ key, ballot: text(10), value: key === 'empty' ? null : 'copied' }));
        const admin = await connect();
        expect(await admin.copy(1, registers)).toEqual([text(10), text(10), text(11), text(10), text(10), '', text(10)]);
        const read = async (key: string): Promise<object> => (await acceptor()).read(key);
        const copied = { promise: ballot(1, 10), ballot: ballot(1, 10), value: 'copied' };
        for (const key of ['absent', 'lower', 'promised to it']) expect(await read(key), key).toEqual(copied);
        expect(await read('empty')).toEqual({ ...copied, value: null });
        expect(await read('higher')).toMatchObject({ value: 'new' });
        expect(await read('same')).toMatchObject({ value: 'here' });
        expect(await read('promised to another')).toEqual({ promise: ballot(1, 11), ballot: ZERO_BALLOT, value: null });
        expect(await admin.copy(1, registers), 'once more').toEqual(await admin.copy(1, registers));
        expect(await (await acceptor()).prepare('absent', ballot(1, 10))).toEqual({ ok: false, conflict: ballot(1, 10) });
      });

      it('takes a ballot from before its floor, and then promises its era; none for a run that is over', async () => {
        await put('there', ballot(1, 9), 'old');
        const admin = await connect();
        await admin.raiseFloor({ era: 5, version: 7 });
        const registers = ['absent', 'there'].map((key) => ({ key, ballot: text(10), value: 'copied' }));
        expect(await admin.copy(4, registers)).toEqual(['', text(9)]);
        expect(await keysOf(admin)).toEqual(['there']);
        expect(await admin.copy(5, registers)).toEqual([text(10), text(10)]);
        const absent = { ...ZERO_BALLOT, era: 5 };
        for (const key of ['absent', 'there'])
          expect(await (await acceptor()).read(key)).toEqual({ promise: absent, ballot: ballot(1, 10), value: 'copied' });
        expect(await admin.copy(5, [{ key: 'later', ballot: formatBallot(ballot(6, 1)), value: 'copied' }])).toEqual([
          formatBallot(ballot(6, 1)),
        ]);
        expect(await (await acceptor()).read('later')).toMatchObject({ promise: ballot(6, 1) });
      });

      it('takes some hundred at a time, each under its own ballot', async () => {
        const admin = await connect();
        const registers = Array.from({ length: 300 }, (_, index) => ({
          key: `k${index}`,
          ballot: text(index + 1),
          value: `ключ ${index}`.repeat(index % 3) || null,
        }));
        expect(await admin.copy(1, registers)).toEqual(registers.map((register) => register.ballot));
        const told = await admin.accepted(registers.map(({ key }) => key));
        expect(told).toEqual(registers);
      });
    });

    it('does nothing over a connection that its user has closed', async () => {
      const admin = await connect();
      admin.close();
      await expect(admin.size()).rejects.toThrow();
    });
  });
}
