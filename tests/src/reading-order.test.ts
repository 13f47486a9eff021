import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../src/configuration.js';
import { ReadingOrder } from '../../src/reading-order.js';
import { VirtualTime } from '../../simulation/virtual-time.js';

const AVOIDED_MS = 1_000;

function configuration(prepare: string, prepareQuorum: number, accept: string, acceptQuorum: number): Configuration {
  return {
    era: 1,
    prepare: { nodes: prepare.split(','), quorum: prepareQuorum },
    accept: { nodes: accept.split(','), quorum: acceptQuorum },
  };
}

/** Whom the next reads ask first, as `ab`. */
function firstOf(order: ReadingOrder, reads: number): string[] {
  return Array.from({ length: reads }, () => {
    const { nodes, enough } = order.next();
    return nodes.slice(0, enough).join('');
  });
}

describe('whom a read asks first', () => {
  it('contains a prepare quorum and an accept quorum, and no more than that', () => {
    const of = (...sets: Parameters<typeof configuration>): string[] =>
      firstOf(new ReadingOrder(configuration(...sets), new VirtualTime()), 4).map((nodes) => nodes.split('').sort().join(''));
    expect(new Set(of('a', 1, 'a', 1))).toEqual(new Set(['a']));
    expect(new Set(of('a,b,c', 2, 'a,b,c', 2))).toEqual(new Set(['ab', 'bc', 'ac']));
    expect(new Set(of('a,b', 2, 'a,b,c', 2))).toEqual(new Set(['ab', 'abc']));
    expect(new Set(of('a,b,c,d', 3, 'a,b,c,d', 2))).toEqual(new Set(['abc', 'bcd', 'acd', 'abd']));
    expect(new Set(of('a', 1, 'b,c', 2))).toEqual(new Set(['abc']));
  });

  it('falls on each acceptor in its turn', () => {
    expect(firstOf(new ReadingOrder(configuration('a,b,c', 2, 'a,b,c', 2), new VirtualTime()), 6).sort()).toEqual([
      'ab',
      'ab',
      'bc',
      'bc',
      'ca',
      'ca',
    ]);
  });

  it('names all others after it', () => {
    const { nodes } = new ReadingOrder(configuration('a,b,c', 2, 'c,d', 1), new VirtualTime()).next();
    expect([...nodes].sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('an acceptor that was late', () => {
  const order = (time: VirtualTime): ReadingOrder => new ReadingOrder(configuration('a,b,c', 2, 'a,b,c', 2), time);

  it('is not asked first, as long as others are enough', () => {
    const reading = order(new VirtualTime());
    reading.isLate('b');
    expect(new Set(firstOf(reading, 6))).toEqual(new Set(['ca']));
    reading.isLate('a');
    expect(firstOf(reading, 1)[0]).toHaveLength(2);
  });

  it('is tried by one read after a while, and by the next one a while later', async () => {
    const time = new VirtualTime();
    const reading = order(time);
    reading.isLate('b');
    for (let trial = 0; trial < 2; trial += 1) {
      await time.advance(AVOIDED_MS);
      const [first, ...others] = firstOf(reading, 6);
      expect(first).toContain('b');
      expect(new Set(others)).toEqual(new Set(['ca']));
    }
  });

  it('is counted on again once it has answered', () => {
    const reading = order(new VirtualTime());
    reading.isLate('b');
    reading.hasAnswered(['a', 'b']);
    expect(new Set(firstOf(reading, 6))).toEqual(new Set(['ab', 'bc', 'ca']));
  });
});
