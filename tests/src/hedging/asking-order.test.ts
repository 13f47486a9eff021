import { describe, expect, it } from 'vitest';
import { AskingOrder } from '../../../src/hedging/asking-order.js';
import type { QuorumSet } from '../../../src/protocol/quorum.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

const AVOIDED_MS = 1_000;
/** How long it is the turn of the same acceptors. */
const TURN_MS = 5;

function sets(prepare: string, prepareQuorum: number, accept: string, acceptQuorum: number): [QuorumSet, QuorumSet] {
  return [
    { nodes: prepare.split(','), quorum: prepareQuorum },
    { nodes: accept.split(','), quorum: acceptQuorum },
  ];
}

/** Whom to ask first now, as `ab`. */
function firstOf(order: AskingOrder): string {
  const { nodes, atFirst } = order.next();
  return nodes.slice(0, atFirst).join('');
}

/** Whom to ask first in each of the next turns. */
async function firstOfTurns(order: AskingOrder, time: VirtualTime, turns: number): Promise<string[]> {
  const asked: string[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    asked.push(firstOf(order));
    await time.advance(TURN_MS);
  }
  return asked;
}

describe('whom to ask first', () => {
  it('contains a prepare quorum and an accept quorum, and no more than that', async () => {
    const of = async (...texts: Parameters<typeof sets>): Promise<Set<string>> => {
      const time = new VirtualTime();
      const asked = await firstOfTurns(new AskingOrder(sets(...texts), time), time, 4);
      return new Set(asked.map((nodes) => nodes.split('').sort().join('')));
    };
    expect(await of('a', 1, 'a', 1)).toEqual(new Set(['a']));
    expect(await of('a,b,c', 2, 'a,b,c', 2)).toEqual(new Set(['ab', 'bc', 'ac']));
    expect(await of('a,b', 2, 'a,b,c', 2)).toEqual(new Set(['ab', 'abc']));
    expect(await of('a,b,c,d', 3, 'a,b,c,d', 2)).toEqual(new Set(['abc', 'bcd', 'acd', 'abd']));
    expect(await of('a', 1, 'b,c', 2)).toEqual(new Set(['abc']));
  });

  it('falls on each acceptor in its turn, and on the same ones within a turn', async () => {
    const time = new VirtualTime();
    const order = new AskingOrder(sets('a,b,c', 2, 'a,b,c', 2), time);
    const first = firstOf(order);
    await time.advance(TURN_MS - 1);
    expect(firstOf(order)).toBe(first);
    await time.advance(1);
    expect(firstOf(order)).not.toBe(first);
    expect((await firstOfTurns(order, time, 6)).sort()).toEqual(['ab', 'ab', 'bc', 'bc', 'ca', 'ca']);
  });

  it('names all others after it', () => {
    const { nodes } = new AskingOrder(sets('a,b,c', 2, 'c,d', 1), new VirtualTime()).next();
    expect([...nodes].sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('an acceptor that was late', () => {
  const order = (time: VirtualTime): AskingOrder => new AskingOrder(sets('a,b,c', 2, 'a,b,c', 2), time);

  it('is not asked first, as long as others are a quorum; else all are asked at once', async () => {
    const time = new VirtualTime();
    const asking = order(time);
    asking.markLate('b');
    expect(new Set(await firstOfTurns(asking, time, 6))).toEqual(new Set(['ca']));
    asking.markLate('a');
    expect(firstOf(asking)).toBe('abc');
  });

  it('is tried once after a while, beside all others, and by the next one a while later', async () => {
    const time = new VirtualTime();
    const asking = order(time);
    asking.markLate('b');
    for (let trial = 0; trial < 2; trial += 1) {
      await time.advance(AVOIDED_MS - 1);
      expect(firstOf(asking)).toBe('ca');
      await time.advance(1);
      expect(firstOf(asking)).toBe('abc');
      expect(firstOf(asking)).toBe('ca');
    }
  });

  it('is tried together with others that were late', async () => {
    const time = new VirtualTime();
    const asking = new AskingOrder(sets('a,b,c,d,e', 3, 'a,b,c,d,e', 3), time);
    asking.markLate('a');
    asking.markLate('b');
    expect(firstOf(asking)).toBe('cde');
    await time.advance(AVOIDED_MS);
    expect(firstOf(asking)).toBe('abcde');
    expect(firstOf(asking)).toBe('cde');
  });

  it('is counted on again once it has answered in time', async () => {
    const time = new VirtualTime();
    const asking = order(time);
    asking.markLate('b');
    asking.markInTime(['a', 'b']);
    expect(new Set(await firstOfTurns(asking, time, 6))).toEqual(new Set(['ab', 'bc', 'ca']));
  });
});
