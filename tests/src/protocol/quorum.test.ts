import { describe, expect, it } from 'vitest';
import { StrangerError, TimedOut, UnfitAcceptor } from '../../../src/protocol/errors.js';
import { ayes, containsQuorum, shortfall, voteOf } from '../../../src/protocol/quorum.js';

const NODES = ['a', 'b', 'c'];

describe('a quorum', () => {
  it('counts the members of its set, and nobody else', () => {
    const set = { nodes: NODES, quorum: 2 };
    expect(containsQuorum(set, ['a'])).toBe(false);
    expect(containsQuorum(set, ['a', 'x', 'y'])).toBe(false);
    expect(containsQuorum(set, ['c', 'x', 'a'])).toBe(true);
  });

  it('is never had from an empty set', () => {
    expect(containsQuorum({ nodes: [], quorum: 0 }, [])).toBe(false);
    expect(containsQuorum({ nodes: [], quorum: 0 }, ['a'])).toBe(false);
  });
});

/** `y`: yes, `n`: no; one letter for each node that answered. */
function votes(letters: string): Map<string, { ok: boolean }> {
  return new Map(Array.from(letters, (letter, index) => [`a${index + 1}`, { ok: letter === 'y' }]));
}

describe('a vote', () => {
  it.each([
    // nodes, quorum, answers so far, over?
    [1, 1, '', false],
    [1, 1, 'y', true],
    [1, 1, 'n', true],
    [2, 2, 'y', false],
    [2, 2, 'yy', true],
    [2, 2, 'n', true],
    [3, 2, 'yn', false],
    [3, 2, 'yy', true],
    [3, 2, 'nn', true],
    [4, 3, 'yn', false],
    [4, 3, 'ynn', true],
    [4, 3, 'nn', true],
    [4, 2, 'nn', false],
    [4, 2, 'nnn', true],
    [4, 2, 'yy', true],
  ])('of %i acceptors with quorum %i is, after "%s", over: %s', (size, quorum, letters, over) => {
    const nodes = Array.from({ length: size }, (_, index) => `a${index + 1}`);
    expect(voteOf({ nodes, quorum }, votes(letters), size - letters.length) !== 'pending').toBe(over);
  });

  it('counts a node that failed as one that will not say yes', () => {
    expect(voteOf({ nodes: ['a1', 'a2'], quorum: 2 }, votes('y'), 0)).toBe('lost');
    expect(voteOf({ nodes: ['a1', 'a2'], quorum: 2 }, votes(''), 1)).toBe('lost');
    expect(voteOf({ nodes: ['a1', 'a2'], quorum: 2 }, votes('y'), 1)).toBe('pending');
    expect(voteOf({ nodes: ['a1', 'a2'], quorum: 1 }, votes('ny'), 0)).toBe('won');
  });

  it('names who said yes, and why it failed', () => {
    expect(ayes(votes('yny'))).toEqual(['a1', 'a3']);
    const set = { nodes: ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'], quorum: 4 };
    const count = '1 of 6 acceptors promised, 4 are needed; 1 preferred a higher ballot';
    expect(shortfall('promised', set, { replies: votes('yn'), failures: new Map([['a3', new Error('reset')]]) })).toBe(count);
    const failures = new Map<string, Error>([
      ['a3', new TimedOut('slow')],
      ['a4', new StrangerError('this is a5')],
      ['a5', new UnfitAcceptor('it has no disk')],
      ['a6', new TimedOut('slow')],
    ]);
    expect(shortfall('promised', set, { replies: votes('yn'), failures })).toBe(
      `${count}; a3 and a6: slow; a4 lost the data or is another acceptor and is not used; a5: it has no disk`,
    );
  });
});
