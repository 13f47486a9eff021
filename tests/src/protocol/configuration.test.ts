import { parseConfiguration, parseEra } from '../../../src/store/parse-configuration.js';
import { BadRequest } from '../../../src/store/errors.js';
import { describe, expect, it } from 'vitest';
import { acceptorsOf, EMPTY_CONFIGURATION, isConfigured } from '../../../src/protocol/configuration.js';

const set = (nodes: unknown, quorum: unknown): unknown => ({ nodes, quorum });
const good = { era: 3, prepare: { nodes: ['a:1', 'b:1'], quorum: 2 }, accept: { nodes: ['a:1', 'b:1', 'c:1'], quorum: 2 } };

describe('a configuration', () => {
  it('is read as it was written, without what does not belong to it', () => {
    expect(parseConfiguration(good)).toEqual(good);
    expect(parseConfiguration({ ...good, colour: 'red' })).toEqual(good);
    expect(parseConfiguration(EMPTY_CONFIGURATION)).toEqual(EMPTY_CONFIGURATION);
  });

  it('keeps who the acceptors are, what values may rest on and what was forced, and has none of these where there are none', () => {
    const full = {
      ...good,
      identities: { 'a:1': 'a:1#7', 'b:1': 'b:1#8' },
      resting: [{ nodes: ['a:1#7', 'c:1#9'], quorum: 2 }],
      forced: ['wipe all'],
    };
    expect(parseConfiguration(full)).toEqual(full);
    expect(parseConfiguration({ ...full, resting: [], forced: [], identities: {} })).toEqual({
      ...full,
      resting: [],
      forced: [],
      identities: {},
    });
    expect(Object.keys(parseConfiguration(good))).toEqual(['era', 'prepare', 'accept']);
  });

  it.each([
    ['a configuration', null],
    ['a configuration', []],
    ['a configuration', 'text'],
    ['prepare', { ...good, prepare: undefined }],
    ['accept', { ...good, accept: [] }],
    ['era', { ...good, era: undefined }],
    ['era', { ...good, era: -1 }],
    ['era', { ...good, era: 1.5 }],
    ['era', { ...good, era: '3' }],
    ['era', { ...good, era: 2 ** 53 }],
    ['prepare.nodes', { ...good, prepare: set('a:1', 1) }],
    ['prepare.nodes', { ...good, prepare: set(['a:1', 7], 1) }],
    ['prepare.nodes', { ...good, prepare: set(['a:1', ''], 1) }],
    ['twice', { ...good, accept: set(['a:1', 'b:1', 'a:1'], 2) }],
    ['prepare.quorum', { ...good, prepare: set(['a:1'], 0) }],
    ['prepare.quorum', { ...good, prepare: set(['a:1'], 2) }],
    ['accept.quorum', { ...good, accept: set(['a:1', 'b:1', 'c:1'], 4) }],
    ['accept.quorum', { ...good, accept: set(['a:1'], -1) }],
    ['accept.quorum', { ...good, accept: set(['a:1', 'b:1'], 1.5) }],
    ['accept.quorum', { ...good, accept: set(['a:1'], '1') }],
    ['accept.quorum', { ...good, accept: set([], 1) }],
    ['accept.quorum', { ...good, accept: set(['a:1'], undefined) }],
    ['identities', { ...good, identities: ['a:1#7'] }],
    ['identities', { ...good, identities: null }],
    ['identities', { ...good, identities: { 'a:1': '' } }],
    ['identities', { ...good, identities: { 'a:1': 7 } }],
    ['resting must be a list', { ...good, resting: {} }],
    ['resting[1].quorum', { ...good, resting: [set(['a:1#7'], 1), set(['a:1#7'], 2)] }],
    ['resting[0].nodes', { ...good, resting: [set(['a:1#7', 'a:1#7'], 2)] }],
    ['forced must be a list', { ...good, forced: 'wipe all' }],
    ['forced', { ...good, forced: ['wipe all', ''] }],
  ])('that is wrong is refused, and the message names %s', (what, input) => {
    expect(() => parseConfiguration(input)).toThrow(BadRequest);
    expect(() => parseConfiguration(input)).toThrow(what);
  });

  it('has an era from 0 to 2^53 - 1', () => {
    expect(parseEra(0, 'era')).toBe(0);
    expect(parseEra(Number.MAX_SAFE_INTEGER, 'era')).toBe(Number.MAX_SAFE_INTEGER);
    for (const input of [null, NaN, Infinity, true, '1', [1]]) expect(() => parseEra(input, 'expected')).toThrow('expected');
  });

  it('is usable only with acceptors in both sets', () => {
    expect(isConfigured(parseConfiguration(good))).toBe(true);
    expect(isConfigured(EMPTY_CONFIGURATION)).toBe(false);
    expect(isConfigured({ ...parseConfiguration(good), prepare: { nodes: [], quorum: 0 } })).toBe(false);
    expect(isConfigured({ ...parseConfiguration(good), accept: { nodes: [], quorum: 0 } })).toBe(false);
  });

  it('names every acceptor of either set once', () => {
    expect(acceptorsOf({ era: 1, prepare: { nodes: ['a', 'b'], quorum: 2 }, accept: { nodes: ['b', 'c'], quorum: 2 } })).toEqual([
      'a',
      'b',
      'c',
    ]);
  });
});
