import { describe, expect, it } from 'vitest';
import { didYouMean } from '../../../node-control/nodes/near-miss.js';
import { Nodes } from '../../../node-control/nodes/nodes.js';

const ACCEPTORS = ['acceptor-1:6379', 'acceptor-2:6379', 'acceptor-3:6379'];

describe('a name that is nearly right', () => {
  it.each([
    ['aceptor-1', ' Did you mean acceptor-1:6379?'],
    ['acceptor2', ' Did you mean acceptor-2:6379?'],
    ['Acceptor-3:6379', ' Did you mean acceptor-3:6379?'],
    ['accpetor-1:6379', ' Did you mean acceptor-1:6379?'],
    ['acceptor-1:6380', ' Did you mean acceptor-1:6379?'],
    ['acceptor-4', ''],
    ['acceptor', ''],
    ['redis-1', ''],
    ['', ''],
  ])('%s%s', (text, words) => {
    expect(didYouMean(text, ACCEPTORS)).toBe(words);
  });

  it('is told with the refusal, and with all that are known', () => {
    const nodes = new Nodes(['proposer-1', 'proposer-2'], ACCEPTORS, { proposer: () => ({}) as never, acceptor: () => ({}) as never });
    expect(() => nodes.assertAcceptor('aceptor-1')).toThrow(
      'there is no acceptor "aceptor-1". Did you mean acceptor-1:6379? Known: acceptor-1:6379, acceptor-2:6379, acceptor-3:6379',
    );
    expect(() => nodes.select('propser-2')).toThrow(
      'there is no proposer "propser-2". Did you mean proposer-2? Known: proposer-1, proposer-2, all',
    );
    expect(() => nodes.select('proposer-3')).toThrow('there is no proposer "proposer-3". Known: proposer-1, proposer-2, all');
    expect(() => nodes.select('ALL')).toThrow('Did you mean all?');
  });
});
