import { describe, expect, it } from 'vitest';
import { lookAtKey } from '../../../../node-control/page/server/register-view.js';
import { type Configuration, EMPTY_CONFIGURATION } from '../../../../src/protocol/configuration.js';
import { type WatchedAcceptor, WatchedNodes } from './watched-nodes.js';

const ALL = ['a1', 'a2', 'a3'];
const THREE: Configuration = { era: 1, prepare: { nodes: ALL, quorum: 2 }, accept: { nodes: ALL, quorum: 2 } };

const stored = (ver: number, val: unknown): string => JSON.stringify({ ver, val, op: '1.1.1' });
const holds = (ballot: string, val: unknown = 'x', promise = ballot): WatchedAcceptor => ({
  register: { promise, ballot, value: stored(1, val) },
});

/** @param configurations of proposers; undefined: gone */
function nodesWith(acceptors: readonly WatchedAcceptor[], configurations: readonly (Configuration | undefined)[] = [THREE]): WatchedNodes {
  const proposers = configurations.map((configuration, index) => [`p${index + 1}`, { configuration, isGone: !configuration }] as const);
  return new WatchedNodes(Object.fromEntries(proposers), Object.fromEntries(acceptors.map((one, index) => [`a${index + 1}`, one])));
}

/** For each acceptor `*` where its value is chosen, `<` where it is older, `?` where nobody can tell, `e` for earlier sets, `-` else, or its state. */
const SIGNS = { chosen: '*', older: '<', unknown: '?', earlier: 'e', minority: '-' };
async function chosenOn(...args: Parameters<typeof nodesWith>): Promise<string[]> {
  const views = await lookAtKey(nodesWith(...args).nodes, 'k');
  return views.map(({ state, register }) => state ?? SIGNS[register?.standing ?? 'minority']);
}

describe('the chosen value', () => {
  it('is what an accept quorum holds under one ballot', async () => {
    expect(await chosenOn([holds('1.5.1.7'), holds('1.5.1.7'), holds('1.4.2.7')])).toEqual(['*', '*', '<']);
    expect(await chosenOn([holds('1.4.2.7'), holds('1.5.1.7'), holds('1.5.1.7')])).toEqual(['<', '*', '*']);
  });

  it('is not what fewer accepted, be it under a higher ballot', async () => {
    expect(await chosenOn([holds('1.6.1.7'), holds('1.5.1.7'), holds('1.5.1.7')])).toEqual(['-', '*', '*']);
    expect(await chosenOn([holds('1.6.1.7'), holds('1.5.1.7'), {}])).toEqual(['-', '-', '-']);
  });

  it('is not one value under several ballots: the same text may have been written twice', async () => {
    expect(await chosenOn([holds('1.5.1.7'), holds('1.5.1.8'), {}])).toEqual(['-', '-', '-']);
  });

  it('is, of two on a quorum each, the one of the higher ballot, by its numbers', async () => {
    const one: Configuration = { ...THREE, accept: { nodes: ALL, quorum: 1 } };
    expect(await chosenOn([holds('1.9.1.7'), holds('1.10.1.7'), holds('1.2.1.7')], [one])).toEqual(['<', '*', '<']);
    expect(await chosenOn([holds('2.1.1.7'), holds('1.10.1.7'), holds('1.2.1.7')], [one])).toEqual(['*', '<', '<']);
  });

  it('is by the accept set of any proposer: in a step they differ', async () => {
    const first: Configuration = { ...THREE, accept: { nodes: ['a1'], quorum: 1 } };
    expect(await chosenOn([holds('1.5.1.7'), {}, {}], [THREE, first])).toEqual(['*', '-', '-']);
    expect(await chosenOn([{}, holds('1.5.1.7'), {}], [THREE, first])).toEqual(['-', '-', '-']);
  });

  it('is none where no proposer tells its accept set, or none has one', async () => {
    const everywhere = [holds('1.5.1.7'), holds('1.5.1.7'), holds('1.5.1.7')];
    expect(await chosenOn(everywhere, [undefined])).toEqual(['?', '?', '?']);
    expect(await chosenOn(everywhere, [EMPTY_CONFIGURATION])).toEqual(['-', '-', '-']);
    expect(await chosenOn(everywhere, [undefined, THREE])).toEqual(['*', '*', '*']);
  });

  it('is told apart where it rests on earlier sets; in the present era nobody accepts by these', async () => {
    const identities = { a1: 'a1#1', a2: 'a2#1' };
    const two = { nodes: ['a1', 'a2'], quorum: 2 };
    const grown: Configuration = {
      era: 6,
      prepare: { nodes: ['a1'], quorum: 1 },
      accept: two,
      identities,
      resting: [{ nodes: ['a1#1'], quorum: 1 }],
    };
    const [first, second] = [
      (ballot: string) => ({ ...holds(ballot), identity: 'a1#1' }),
      (ballot: string) => ({ ...holds(ballot), identity: 'a2#1' }),
    ];
    expect(await chosenOn([first('4.5.1.7'), { identity: 'a2#1' }], [grown])).toEqual(['e', '-']);
    expect(await chosenOn([first('6.5.1.7'), { identity: 'a2#1' }], [grown])).toEqual(['-', '-']);
    expect(await chosenOn([{ identity: 'a1#1' }, second('4.5.1.7')], [grown])).toEqual(['-', '-']);
    expect(await chosenOn([first('4.5.1.7'), second('4.4.1.7')], [grown])).toEqual(['e', '<']);
    expect(await chosenOn([first('4.5.1.7'), second('6.4.1.7')], [grown])).toEqual(['e', '-']);
  });

  it('may be what an acceptor that does not answer would complete', async () => {
    expect(await chosenOn([holds('1.5.1.7'), { isGone: true }, {}])).toEqual(['?', 'gone', '-']);
    expect(await chosenOn([holds('1.6.1.7'), { isGone: true }, holds('1.5.1.7')])).toEqual(['?', 'gone', '?']);
  });

  it('is none where nothing was accepted', async () => {
    const promised = { register: { promise: '1.5.1.7' } };
    expect(await chosenOn([promised, promised, {}])).toEqual(['-', '-', '-']);
  });
});

describe('an acceptor', () => {
  it('that does not answer is gone, and the others are looked at', async () => {
    expect(await chosenOn([holds('1.5.1.7'), { isGone: true }, holds('1.5.1.7')])).toEqual(['*', 'gone', '*']);
    expect(await chosenOn([holds('1.5.1.7'), { isGone: true }, { isGone: true }])).toEqual(['?', 'gone', 'gone']);
  });

  it('with another identity than the configuration has is a stranger, and what it holds counts for nothing', async () => {
    const identified: Configuration = { ...THREE, identities: { a1: 'a1#1', a2: 'a2#1', a3: 'a3#1' } };
    const [right, wrong] = [
      { ...holds('1.5.1.7'), identity: 'a1#1' },
      { ...holds('1.5.1.7'), identity: 'a2#2' },
    ];
    expect(await chosenOn([right, wrong, { identity: undefined }], [identified])).toEqual(['-', 'stranger', 'stranger']);
  });

  it('that no proposer lists is looked at as it is', async () => {
    const two = { nodes: ['a1', 'a2'], quorum: 2 };
    const listed: Configuration = { era: 1, prepare: two, accept: two, identities: { a3: 'of a step that was interrupted' } };
    const outside = { ...holds('1.3.1.7'), identity: 'of before' };
    expect(await chosenOn([holds('1.5.1.7'), holds('1.5.1.7'), outside], [listed])).toEqual(['*', '*', '<']);
  });
});

describe('a register', () => {
  const shown = async (acceptor: WatchedAcceptor) => (await lookAtKey(nodesWith([acceptor]).nodes, 'k'))[0]?.register;

  it('is shown as it is stored', async () => {
    const register = { promise: '1.9.2.7', ballot: '1.5.1.7', value: stored(3, { deep: ['"'] }) };
    expect(await shown({ register })).toEqual({
      promise: '1.9.2.7',
      ballot: '1.5.1.7',
      value: '{"deep":["\\""]}',
      version: 3,
      standing: 'minority',
    });
    expect(await shown({ register: { ...register, value: stored(1, null) } })).toMatchObject({ value: 'null', version: 1 });
  });

  it('that holds nothing is shown empty, also where a rescan wrote that', async () => {
    const empty = { value: '', version: 0, standing: 'minority' };
    expect(await shown({})).toEqual({ promise: '', ballot: '', ...empty });
    expect(await shown({ register: { promise: '1.9.2.7' } })).toEqual({ promise: '1.9.2.7', ballot: '', ...empty });
    expect(await shown({ register: { promise: '1.9.2.7', ballot: '1.9.2.7', value: '' } })).toMatchObject({ ballot: '1.9.2.7', ...empty });
    expect(await shown({ register: { ballot: '1.9.2.7', value: stored(0, null) } })).toMatchObject(empty);
  });

  it('is cut off after 200 characters of its value', async () => {
    const value = async (length: number) => (await shown({ register: { ballot: '1.5.1.7', value: stored(1, 'x'.repeat(length)) } }))?.value;
    expect(await value(198)).toBe(`"${'x'.repeat(198)}"`);
    expect(await value(199)).toBe(`"${'x'.repeat(199)}…`);
    const halved = { register: { ballot: '1.5.1.7', value: stored(1, `${'x'.repeat(198)}😀`) } };
    expect((await shown(halved))?.value).toBe(`"${'x'.repeat(198)}…`);
  });
});

it('leaves no connection open', async () => {
  const nodes = nodesWith([holds('1.5.1.7'), { isGone: true }], [THREE, undefined]);
  await lookAtKey(nodes.nodes, 'k');
  expect(nodes).toMatchObject({ asked: 4, open: 0 });
});

describe('a deleted key', () => {
  const [show, floor] = [(acceptor: WatchedAcceptor) => lookAtKey(nodesWith([acceptor]).nodes, 'k'), { era: 9, version: 7 }];

  it('is told as a tombstone, with its version and without a value: it is not the value null', async () => {
    const value = '{"ver":7,"val":null,"ops":[],"deleted":true}';
    expect(await show({ register: { promise: '1.5.1.7', ballot: '1.5.1.7', value } })).toMatchObject([
      { register: { value: '', version: 7, isDeleted: true } },
    ]);
    const [{ register } = {}] = await show(holds('1.5.1.7', null));
    expect(register).toMatchObject({ value: 'null', version: 1 });
    expect(register).not.toHaveProperty('isDeleted');
  });

  it('is told with the floor of the acceptor, if anything was collected', async () => {
    expect(await show({ floor })).toMatchObject([{ floor, register: { promise: '', ballot: '' } }]);
    expect((await show({}))[0]).not.toHaveProperty('floor');
  });
});
