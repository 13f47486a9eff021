import { describe, expect, it } from 'vitest';
import { whatIf } from '../../../../node-control/page/server/what-if.js';
import { type Configuration, EMPTY_CONFIGURATION } from '../../../../src/protocol/configuration.js';

const [A, B, C] = ['acceptor-1:6379', 'acceptor-2:6379', 'acceptor-3:6379'] as const;
const GROWING: Configuration = { era: 3, prepare: { nodes: [A], quorum: 1 }, accept: { nodes: [A, B], quorum: 2 } };
const APART: Configuration = { era: 4, prepare: { nodes: [A, B, C], quorum: 1 }, accept: { nodes: [A, B, C], quorum: 2 } };
const serviceOf = (...lost: string[]): string => whatIf('proposer-1', GROWING, { lost, prepare: [], accept: [] }).service;
const meetingOf = (prepare: string[], accept: string[], configuration = GROWING): string =>
  whatIf('proposer-1', configuration, { lost: [], prepare, accept }).meeting;

describe('what would follow from a loss', () => {
  it.each([
    ['nobody', [], /serves, and stops if acceptor-1 or acceptor-2 is lost\. Reads and writes go through\.$/],
    ['one of the accept set', [B], /no quorum answers\. A round can begin, but no accept quorum takes its value: no read and no write/],
    ['one of both sets', [A], /no quorum answers\. No read and no write goes through\.$/],
    ['one of no set', [C], /Reads and writes go through\.$/],
  ])('of %s', (_, lost, text) => {
    expect(serviceOf(...lost)).toMatch(text);
  });

  it('where only the accept set has a quorum left', () => {
    const configuration = { ...GROWING, prepare: { nodes: [A, B], quorum: 2 }, accept: { nodes: [A, B], quorum: 1 } };
    const { service } = whatIf('proposer-1', configuration, { lost: [B], prepare: [], accept: [] });
    expect(service).toMatch(/No round can begin\. Only a write whose promise was given before may still go through\.$/);
  });

  it('is nothing to a proposer that has no acceptors', () => {
    expect(whatIf('proposer-1', EMPTY_CONFIGURATION, { lost: [A], prepare: [A], accept: [A] })).toEqual({
      service: 'No proposer has acceptors yet, so every operation is refused.',
      meeting: '',
    });
  });
});

describe('whether two quorums meet', () => {
  it.each([
    ['none is chosen', [], [A, B], /^$/],
    ['they are too small', [A], [B], /^acceptor-2: no accept quorum, since 2 of acceptor-1 and acceptor-2 must take a write\.$/],
    ['it has others', [B], [A, B], /^acceptor-2: no prepare quorum, since 1 of acceptor-1 must answer\.$/],
    [
      'they meet',
      [A],
      [A, B],
      /^They meet in acceptor-1: a round that asks acceptor-1 sees the write that acceptor-1 and acceptor-2 took\.$/,
    ],
  ])('where %s', (_, prepare, accept, text) => {
    expect(meetingOf(prepare, accept)).toMatch(text);
  });

  it('where they do not', () => {
    expect(meetingOf([A], [B, C], APART)).toBe(
      'They do not meet: a round that asks acceptor-1 would not see a write that acceptor-2 and acceptor-3 took.',
    );
  });
});
