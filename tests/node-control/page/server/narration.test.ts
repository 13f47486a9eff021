import { describe, expect, it } from 'vitest';
import { restingAfter, restingAfterRescan } from '../../../../node-control/safety/guard.js';
import { narrate } from '../../../../node-control/page/server/narration.js';
import type { Narration } from '../../../../node-control/page/server/snapshot.js';
import { type Configuration, EMPTY_CONFIGURATION, isConfigured } from '../../../../src/protocol/configuration.js';
import type { QuorumSet } from '../../../../src/protocol/quorum.js';
import { GROW, SHRINK, START } from '../../spec-commands.js';

const acceptor = (number: number | string): string => `acceptor-${number}:6379`;
const THREE = [1, 2, 3].map(acceptor);
const IDENTITIES = Object.fromEntries([1, 2, 3, 4].map((number) => [acceptor(number), `${acceptor(number)}#1`]));

/** `2 of 123`. */
function set(text: string): QuorumSet {
  const [quorum = '', members = ''] = text.split(' of ');
  return { quorum: Number(quorum), nodes: members.split('').map(acceptor) };
}

/** Values rest where they are accepted, and wherever else is said. */
function sets(prepare: string, accept: string, resting: readonly string[] = []): Configuration {
  const identified = [accept, ...resting].map(set).map(({ quorum, nodes }) => ({ quorum, nodes: nodes.map((name) => `${name}#1`) }));
  return { era: 4, prepare: set(prepare), accept: set(accept), identities: IDENTITIES, resting: identified };
}

const told = (...configurations: readonly Configuration[]) =>
  configurations.map((configuration, index) => ({ name: `proposer-${index + 1}`, configuration }));

const of = (prepare: string, accept: string, lost: readonly number[] = [], resting: readonly string[] = []): Narration =>
  narrate(told(sets(prepare, accept, resting), sets(prepare, accept, resting)), THREE, lost.map(acceptor));

/** As the command changes the sets of all proposers. */
function after(before: Configuration, command: string): Configuration {
  const [verb = '', ...words] = command.split(' ');
  if (verb === 'rescan') {
    const listed = { nodes: (words[0] ?? '').split(',').map((name) => `${name}#1`), quorum: Number(words[1]) };
    return { ...before, resting: restingAfterRescan(listed, [before]).kept };
  }
  const [, name = '', quorum] = words;
  const phase = verb.endsWith('accept') ? 'accept' : 'prepare';
  const rest = before[phase].nodes.filter((node) => node !== name);
  const next = { ...before, [phase]: { nodes: verb.startsWith('add') ? [...rest, name] : rest, quorum: Number(quorum) } };
  return { ...next, resting: restingAfter([{ name: '', before, after: next, changed: true }]) };
}

describe('what is owed next', () => {
  it('is, along the whole way of the README, the command that the README has next', () => {
    let present: Configuration = { ...EMPTY_CONFIGURATION, identities: IDENTITIES };
    for (const way of [START, GROW, SHRINK.filter((command) => !command.startsWith('wipe'))]) {
      for (const [index, command] of way.entries()) {
        const { commands } = narrate(told(present, present), THREE, []);
        // Where both sets are the same, the reader may stay, or grow in one command.
        const isBetween = !isConfigured(present) || present.prepare.nodes.length !== present.accept.nodes.length;
        const isOwed = isBetween || (way !== GROW && command.startsWith('rescan'));
        if (isOwed) expect(commands[0], `before step ${index} (${command})`).toBe(command);
        else expect(commands).not.toContain(command);
        present = after(present, command);
      }
      expect(narrate(told(present, present), THREE, []).next ?? '').not.toContain('wed');
    }
  });

  it('is all that is left of the change, with the reason for a rescan', () => {
    expect(of('1 of 1', '2 of 12', [], ['1 of 1'])).toEqual({
      now: 'Prepare 1 of 1, accept 2 of 2: serves, and stops if acceptor-1 or acceptor-2 is lost.',
      next: 'In the middle of growing. What rests on 1 of acceptor-1 is not yet on every accept quorum. Owed next',
      commands: ['rescan acceptor-1:6379,acceptor-2:6379 2', 'add-prepare all acceptor-2:6379 2'],
    });
    expect(of('2 of 123', '2 of 12', [], ['2 of 123'])).toMatchObject({
      next: 'In the middle of shrinking. Owed next',
      commands: ['rm-prepare all acceptor-3:6379 2', 'rescan acceptor-1:6379,acceptor-2:6379 2'],
    });
    expect(of('2 of 12', '2 of 12', [], ['2 of 123', '1 of 1'])).toMatchObject({
      next: expect.stringMatching(
        /^What rests on 2 of acceptor-1, acceptor-2, acceptor-3 and on 1 of acceptor-1 is not yet .*Before the next shrinking, a rescan is owed$/,
      ) as unknown,
      commands: ['rescan acceptor-1:6379,acceptor-2:6379 2'],
    });
    expect(of('2 of 12', '2 of 123', [], ['2 of 12'])).toMatchObject({
      next: 'In the middle of growing. Owed next',
      commands: ['add-prepare all acceptor-3:6379 2'],
    });
  });

  it('lists for a rescan what cannot miss a key: two of three acceptors could, where one of them alone has it', () => {
    expect(of('2 of 12', '2 of 123', [], ['1 of 1']).commands).toEqual([
      'rescan acceptor-1:6379,acceptor-2:6379 2',
      'add-prepare all acceptor-3:6379 2',
    ]);
  });

  it('is nothing where every accept quorum has what rests on a larger quorum, or where the sizes of quorums are a choice', () => {
    expect(of('2 of 123', '2 of 123', [], ['2 of 12', '3 of 123'])).toMatchObject({ commands: [] });
    expect(of('1 of 123', '3 of 123').next).not.toMatch(/wed|middle/);
  });

  it('is to grow where the loss of one acceptor would end the service, if there are three', () => {
    const [single, pair] = [of('1 of 1', '1 of 1'), of('2 of 12', '2 of 12')];
    for (const { next, commands } of [single, pair]) {
      expect(next).toContain('grow to three');
      expect(commands).toEqual([`resize ${THREE.join(',')}`]);
    }
    expect(of('2 of 123', '2 of 123')).not.toHaveProperty('next');
    expect(narrate(told(sets('1 of 1', '1 of 1')), THREE.slice(0, 2), [])).not.toHaveProperty('next');
  });

  it('is the set that is missing, before there is a first', () => {
    const half = (phase: 'prepare' | 'accept') => ({ ...EMPTY_CONFIGURATION, [phase]: set('1 of 3') });
    expect(narrate(told(EMPTY_CONFIGURATION), THREE, [])).toMatchObject({
      now: expect.stringContaining('every operation is refused') as unknown,
      next: 'To begin with one acceptor',
      commands: START,
    });
    expect(narrate(told(half('accept')), THREE, [])).toEqual({
      now: 'The prepare set is still empty, so every operation is refused.',
      next: 'Owed next: a prepare set',
      commands: ['add-prepare all acceptor-3:6379 1'],
    });
    expect(narrate(told(half('prepare')), THREE, [])).toMatchObject({ commands: ['add-accept all acceptor-3:6379 1'] });
  });
});

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
    expect(of(prepare, accept, lost).now).toBe(`Prepare ${size(prepare)}, accept ${size(accept)}: ${expected}`);
  });

  it('is the same for sets in another order', () => {
    expect(narrate(told(sets('2 of 123', '2 of 123'), sets('2 of 321', '2 of 213')), THREE, []).now).toContain('serves on');
  });

  it('is said of proposers that differ in the middle of a step', () => {
    const { now, next, commands } = narrate(told(sets('1 of 1', '1 of 1'), sets('1 of 1', '2 of 12')), THREE, []);
    expect(now).toMatch(/differ.*All serve/);
    expect(next).toMatch(/interrupted has to be run again, for all/);
    expect(commands).toEqual([]);
  });

  it('says which proposer refuses everything where one has lost its sets, and whose it may take over', () => {
    const { now, next, commands } = narrate(told(sets('1 of 1', '1 of 1'), EMPTY_CONFIGURATION), THREE, []);
    expect(now).toMatch(/differ.*proposer-1 serves.*every operation through proposer-2.*refused/);
    expect(next).toContain('lost its volume');
    expect(commands).toEqual(['copy proposer-1 proposer-2']);
  });

  it('does not say that anybody serves while no proposer has both sets', () => {
    const { now, commands } = narrate(told({ ...EMPTY_CONFIGURATION, accept: set('1 of 1') }, EMPTY_CONFIGURATION), THREE, []);
    expect(now).toMatch(/differ.*every operation is refused/);
    expect(commands).toEqual([]);
  });

  it('says that no proposer answers', () => {
    expect(narrate([], THREE, [])).toEqual({ now: 'No proposer answers: nothing is served until one is started.', commands: [] });
  });
});
