import { describe, expect, it } from 'vitest';
import type { Accepted } from '../../../src/protocol/acceptor.js';
import { ZERO_BALLOT } from '../../../src/protocol/ballot.js';
import type { Configuration } from '../../../src/protocol/configuration.js';
import { ayes, isVoteOver, provenBy, shortfall } from '../../../src/protocol/votes.js';

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
    expect(isVoteOver({ nodes, quorum }, votes(letters), size - letters.length)).toBe(over);
  });

  it('counts a node that failed as one that will not say yes', () => {
    expect(isVoteOver({ nodes: ['a1', 'a2'], quorum: 2 }, votes('y'), 0)).toBe(true);
    expect(isVoteOver({ nodes: ['a1', 'a2'], quorum: 2 }, votes(''), 1)).toBe(true);
  });

  it('names who said yes, and why it failed', () => {
    expect(ayes(votes('yny'))).toEqual(['a1', 'a3']);
    expect(shortfall('promised', { nodes: ['a1', 'a2', 'a3'], quorum: 2 }, votes('yn'))).toBe(
      '1 of 3 acceptors promised, 2 are needed; 1 preferred a higher ballot',
    );
  });
});

describe('the proof that an accepted value is the present one', () => {
  const nodes = ['a1', 'a2', 'a3'];
  const majority: Configuration = { era: 2, prepare: { nodes, quorum: 2 }, accept: { nodes, quorum: 2 } };
  const nothing: Accepted = { ballot: ZERO_BALLOT, value: null };
  const at = (era: number, counter: number): Accepted => ({
    ballot: { era, counter, proposer: 1, incarnation: 1 },
    value: `${era}.${counter}`,
  });
  const prove = (configuration: Configuration, ...replies: Accepted[]): Accepted | undefined =>
    provenBy(new Map(replies.map((reply, index) => [`a${index + 1}`, reply])), configuration);

  it('is the same ballot on a quorum of both sets', () => {
    expect(prove(majority, at(2, 5), at(2, 5))).toEqual(at(2, 5));
    expect(prove(majority, at(2, 4), at(2, 5), at(2, 5))).toEqual(at(2, 5));
  });

  it('is not had from different ballots, though the values be equal', () => {
    expect(prove(majority, at(2, 4), at(2, 5))).toBeUndefined();
    expect(prove(majority, { ...at(2, 4), value: 'same' }, { ...at(2, 5), value: 'same' }, nothing)).toBeUndefined();
  });

  it('is not had from an accept quorum that holds no prepare quorum, nor from a prepare quorum that holds no accept quorum', () => {
    const prepareAll = { ...majority, prepare: { nodes, quorum: 3 }, accept: { nodes, quorum: 1 } };
    expect(prove(prepareAll, at(2, 5))).toBeUndefined();
    expect(prove(prepareAll, at(2, 5), at(2, 5))).toBeUndefined();
    expect(prove(prepareAll, at(2, 5), at(2, 5), at(2, 5))).toEqual(at(2, 5));
    const acceptAll = { ...majority, prepare: { nodes, quorum: 1 }, accept: { nodes, quorum: 3 } };
    expect(prove(acceptAll, at(2, 5), at(2, 5))).toBeUndefined();
    expect(prove(acceptAll, at(2, 5), at(2, 5), at(2, 5))).toEqual(at(2, 5));
  });

  it('does not count acceptors outside a set', () => {
    const growing = { ...majority, prepare: { nodes: ['a1'], quorum: 1 }, accept: { nodes: ['a1', 'a2'], quorum: 2 } };
    expect(prove(growing, at(2, 5), at(2, 4), at(2, 4))).toBeUndefined();
    expect(prove(growing, at(2, 4), at(2, 5), at(2, 5))).toBeUndefined();
    expect(prove(growing, at(2, 5), at(2, 5))).toEqual(at(2, 5));
  });

  it('is not had from a ballot of an earlier era, but from one of a later', () => {
    expect(prove(majority, at(1, 5), at(1, 5), at(1, 5))).toBeUndefined();
    expect(prove(majority, at(3, 5), at(3, 5))).toEqual(at(3, 5));
  });

  it('is not had where an acceptor has seen an era that these sets do not reach', () => {
    expect(prove(majority, at(4, 5), at(4, 5))).toBeUndefined();
    expect(prove(majority, at(4, 5), nothing, nothing)).toBeUndefined();
  });

  it('for an empty register is a prepare quorum alone, in any era', () => {
    expect(prove(majority, nothing)).toBeUndefined();
    expect(prove(majority, nothing, nothing)).toEqual(nothing);
    expect(prove(majority, at(2, 5), nothing)).toBeUndefined();
    const acceptAll = { ...majority, prepare: { nodes, quorum: 1 }, accept: { nodes, quorum: 3 } };
    expect(prove(acceptAll, nothing)).toEqual(nothing);
  });
});
