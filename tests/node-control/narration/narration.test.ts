import { describe, expect, it } from 'vitest';
import { leftBehind, nowText } from '../../../node-control/narration/now.js';
import { wayOut } from '../../../node-control/narration/way-out.js';
import { type Configuration, EMPTY_CONFIGURATION } from '../../../src/protocol/configuration.js';
import type { QuorumSet } from '../../../src/protocol/quorum.js';

const acceptor = (number: number | string): string => `acceptor-${number}:6379`;

/** `2 of 123`. */
function set(text: string): QuorumSet {
  const [quorum = '', members = ''] = text.split(' of ');
  return { quorum: Number(quorum), nodes: members.split('').map(acceptor) };
}

function sets(prepare: string, accept: string): Configuration {
  return { era: 4, prepare: set(prepare), accept: set(accept) };
}

const told = (...configurations: readonly Configuration[]) =>
  configurations.map((configuration, index) => ({ name: `proposer-${index + 1}`, configuration }));

const now = (configurations: readonly Configuration[], lost: readonly number[] = [], silent: readonly string[] = []): string =>
  nowText(told(...configurations), { acceptors: lost.map(acceptor), proposers: silent });

const of = (prepare: string, accept: string, lost: readonly number[] = []): string =>
  now([sets(prepare, accept), sets(prepare, accept)], lost);

describe('what the present configuration means', () => {
  it.each([
    ['1 of 1', '1 of 1', [], 'serves while acceptor-1 does.'],
    ['1 of 1', '1 of 1', [1], 'does not serve without acceptor-1: no quorum answers.'],
    ['1 of 1', '2 of 12', [], 'serves, and stops if acceptor-1 or acceptor-2 is lost.'],
    ['2 of 12', '2 of 123', [], 'serves, and stops if acceptor-1 or acceptor-2 is lost.'],
    ['2 of 12', '2 of 123', [3], 'serves without acceptor-3, and stops if acceptor-1 or acceptor-2 is lost.'],
    ['2 of 12', '2 of 123', [2], 'does not serve without acceptor-2: no quorum answers.'],
    ['2 of 123', '2 of 123', [], 'serves on with any one acceptor lost.'],
    ['2 of 123', '2 of 123', [2], 'serves without acceptor-2, and stops if acceptor-1 or acceptor-3 is lost.'],
    ['2 of 123', '2 of 123', [2, 3], 'does not serve without acceptor-2 and acceptor-3: no quorum answers.'],
    ['1 of 1234', '1 of 1234', [], 'serves on with any 3 acceptors lost.'],
    ['1 of 1234', '1 of 1234', [1], 'serves on without acceptor-1 with any 2 more acceptors lost.'],
    ['1 of 123', '1 of 123', [1], 'serves on without acceptor-1 with any one more acceptor lost.'],
    ['1 of 12', '1 of 12', [1], 'serves without acceptor-1 while acceptor-2 does.'],
    // Nobody asks the third.
    ['2 of 12', '2 of 12', [3], 'serves, and stops if acceptor-1 or acceptor-2 is lost.'],
  ])('prepare %s, accept %s, without %j: %s', (prepare, accept, lost, expected) => {
    const size = (text: string): string => text.replace(/\d+$/, (members) => String(members.length));
    expect(of(prepare, accept, lost)).toBe(`Prepare ${size(prepare)}, accept ${size(accept)}: ${expected}`);
  });

  it('is the same for sets in another order', () => {
    expect(now([sets('2 of 123', '2 of 123'), sets('2 of 321', '2 of 213')])).toContain('serves on');
  });

  it('is said of proposers that differ in the middle of a step', () => {
    expect(now([sets('1 of 1', '1 of 1'), sets('1 of 1', '2 of 12')])).toBe(
      'The proposers differ: one has taken a step, the other not yet. All serve, since their quorums meet.',
    );
  });

  it('says what to do where one is eras behind, whose quorums meet those of the others: it refuses what they wrote since', () => {
    const behind = { ...sets('2 of 123', '2 of 123'), era: 3 };
    const expected =
      /^The proposers differ: proposer-1 is of era 3, proposer-2 of era 9\. If that lasts, proposer-1 refuses every key that was written since: \.\/run-control\.sh copy proposer-2 proposer-1$/;
    expect(now([behind, { ...sets('2 of 12', '2 of 12'), era: 9 }])).toMatch(expected);
    expect(now([behind, { ...behind, era: 9 }])).toMatch(expected);
    expect(now([behind, { ...behind, era: 4 }])).toContain('serves on');
  });

  it('says what to do where one has sets that the cluster left, and nobody else tells it', () => {
    const [old, present] = [
      { ...sets('1 of 1', '1 of 1'), era: 5 },
      { ...sets('2 of 23', '2 of 23'), era: 9 },
    ];
    const expected =
      /quorums of proposer-1 and proposer-2 miss each other\. If that lasts.*: stop proposer-1, remove its configuration\.json, start it, and then: \.\/run-control\.sh copy proposer-2 proposer-1$/;
    expect(now([old, present])).toMatch(expected);
    // Names alone do not tell: the acceptor of that name is another one.
    const [was, is] = ['first', 'second'].map((identity, at) => ({
      ...sets('1 of 1', '1 of 1'),
      era: 5 + 2 * at,
      identities: { 'acceptor-1:6379': identity },
    }));
    expect(now([was, is].flatMap((one) => one ?? []))).toMatch(expected);
    // One that lost its sets has none that could miss others.
    expect(now([{ ...EMPTY_CONFIGURATION, era: 0 }, present])).toMatch(/^The proposers differ: proposer-2 serves/);
    expect(
      leftBehind([EMPTY_CONFIGURATION, present].map((configuration, at) => ({ name: `proposer-${at + 1}`, configuration }))),
    ).toBeUndefined();
    // In the middle of a step that was forced nobody is left behind.
    expect(now([{ ...old, era: 8 }, present])).not.toContain('configuration.json');
  });

  it('says which proposer refuses everything where one has lost its sets', () => {
    expect(now([sets('1 of 1', '1 of 1'), EMPTY_CONFIGURATION])).toMatch(
      /differ: proposer-1 serves, but every operation through proposer-2.*refused/,
    );
  });

  it('does not say that anybody serves while no proposer has both sets', () => {
    const half = (phase: 'prepare' | 'accept') => ({ ...EMPTY_CONFIGURATION, [phase]: set('1 of 3') });
    expect(now([half('accept'), EMPTY_CONFIGURATION])).toMatch(/differ.*every operation is refused/);
    expect(now([half('accept')])).toBe('The prepare set is still empty, so every operation is refused.');
    expect(now([half('prepare')])).toBe('The accept set is still empty, so every operation is refused.');
    expect(now([EMPTY_CONFIGURATION])).toBe('No proposer has acceptors yet, so every operation is refused.');
    expect(now([{ ...EMPTY_CONFIGURATION, era: 26 }])).toBe('No proposer has acceptors any more, so every operation is refused.');
  });

  it('does not say that nothing is served where it reaches no proposer: clients may', () => {
    expect(now([])).toBe('No proposer answers the control node, so what clients are served is not known: nothing, if none runs.');
  });

  it('says who serves everything while a proposer does not answer, if anybody does', () => {
    const all = sets('2 of 123', '2 of 123');
    const text = 'proposer-2 does not answer: whoever asks there waits or fails';
    expect(now([all], [], ['proposer-2'])).toBe(
      `Prepare 2 of 3, accept 2 of 3: serves on with any one acceptor lost. ${text}; proposer-1 serves everything.`,
    );
    expect(now([all], [1, 2], ['proposer-2'])).toMatch(new RegExp(`no quorum answers\\. ${text}\\.$`));
    expect(now([EMPTY_CONFIGURATION], [], ['proposer-2'])).toMatch(new RegExp(`refused\\. ${text}\\.$`));
  });
});

describe('the way out', () => {
  const all = told(sets('2 of 123', '2 of 123'));
  const silent = (acceptors: readonly number[], hanging: readonly number[] = []) => ({
    proposers: [],
    acceptors: acceptors.map((number) => ({ name: acceptor(number), hangs: hanging.includes(number) })),
  });

  it('is to start or to resume what is missing for a quorum, and says if one of them is enough', () => {
    expect(wayOut(all, silent([1, 2], [2]))).toEqual({
      why: 'No quorum answers. One of these is enough',
      commands: ['./fault.sh start acceptor-1', './fault.sh resume acceptor-2'],
    });
    expect(wayOut(all, silent([1, 2, 3]))?.why).toBe('No quorum answers. What mends it');
    expect(wayOut(all, silent([1]), [acceptor(2)])).toEqual({
      why: 'No quorum answers. What mends it',
      commands: ['./fault.sh start acceptor-1'],
    });
  });

  it('names in words what fault.sh does not know', () => {
    const own = told({ era: 4, prepare: { nodes: ['redis-a:6379'], quorum: 1 }, accept: { nodes: ['redis-a:6379'], quorum: 1 } });
    expect(wayOut(own, { proposers: [], acceptors: [{ name: 'redis-a:6379', hangs: false }] })).toEqual({
      why: 'No quorum answers. What mends it: start redis-a',
      commands: [],
    });
  });

  it('is nothing while a quorum answers, or where nobody asks those that do not', () => {
    expect(wayOut(all, silent([1]))).toBeUndefined();
    expect(wayOut(told(sets('1 of 1', '1 of 1')), silent([2, 3]))).toBeUndefined();
    expect(wayOut(all, silent([]), [acceptor(1), acceptor(2)])).toBeUndefined();
  });

  it('is to bring the proposers back: one to serve, all of them to change the sets', () => {
    const proposers = [{ name: 'proposer-2', hangs: true }];
    expect(wayOut(all, { proposers, acceptors: [] })).toEqual({
      why: 'The sets can be changed again once every proposer answers',
      commands: ['./fault.sh resume proposer-2'],
    });
    expect(wayOut([], { proposers, acceptors: [] })?.why).toBe('Start one that does not run');
    expect(wayOut([], { proposers: [], acceptors: [] })).toBeUndefined();
  });
});
