import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Acceptor } from '../../../src/protocol/acceptor.js';
import type { Ballot } from '../../../src/protocol/ballot.js';
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

    it('does nothing over a connection that its user has closed', async () => {
      const admin = await connect();
      admin.close();
      await expect(admin.size()).rejects.toThrow();
    });
  });
}
