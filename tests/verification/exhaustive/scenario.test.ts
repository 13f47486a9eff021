import { describe, expect, it } from 'vitest';
import type { Member, Nodes } from '../../../node-control/nodes/nodes.js';
import { NO_FLOOR } from '../../../node-control/step/floors.js';
import { step } from '../../../node-control/step/step.js';
import type { Configuration } from '../../../src/protocol/configuration.js';
import { adminWritesOf, alikeAcceptors } from '../../../verification/exhaustive/scenario.js';
import { SCENARIOS } from '../../../verification/exhaustive/scenarios.js';

/** Two proposers that take every configuration, and what was written to them in this order. */
function cluster(first: Configuration): { cluster: Nodes; written: { proposer: number; configuration: Configuration }[] } {
  const present = [first, first];
  const written: { proposer: number; configuration: Configuration }[] = [];
  const configure = (proposer: number, expectedEra: number, configuration: Configuration): Promise<unknown> => {
    expect(present[proposer]?.era).toBe(expectedEra);
    present[proposer] = configuration;
    written.push({ proposer, configuration });
    return Promise.resolve({ ok: true, body: configuration });
  };
  const members = present.map((_, proposer) => ({
    name: `p${proposer + 1}`,
    admin: { configure: (era: number, configuration: Configuration) => configure(proposer, era, configuration) },
  })) as unknown as Member[];
  const readAll = (): unknown => Promise.resolve(members.map((member, index) => ({ member, configuration: present[index] })));
  const identities = new Map<string, string>();
  const adminOf = (name: string) => ({
    size: async () => 0,
    identity: async () => identities.get(name),
    adopt: async (identity: string) => {
      identities.set(name, identity);
      return identity;
    },
    floor: async () => NO_FLOOR,
  });
  const withAcceptor = (name: string, task: (acceptor: ReturnType<typeof adminOf>) => Promise<unknown>): Promise<unknown> =>
    task(adminOf(name));
  const newIdentity = (name: string): string => `${name}#1`;
  return { cluster: { members, acceptors: [], readAll, withAcceptor, newIdentity } as unknown as Nodes, written };
}

describe('the writes of the control node', () => {
  it.each(SCENARIOS.filter(({ steps }) => steps.length > 0).map((scenario) => [scenario.name, scenario]))(
    'are those that node-control makes: %s',
    async (_, scenario) => {
      const { cluster: nodes, written } = cluster(scenario.configuration);
      for (const sets of scenario.steps) {
        const change = (present: Configuration): Configuration => ({ ...present, ...sets });
        await step(nodes, { step: { verb: 'wipe', proposers: 'all' }, selected: nodes.members, change });
      }
      const seen = written.map(({ proposer, configuration: { era, prepare, accept } }) => ({
        proposer,
        configuration: { era, prepare, accept },
      }));
      expect(adminWritesOf(scenario)).toEqual(seen);
    },
  );
});

describe('acceptors', () => {
  it('are alike where every set of a scenario holds both or neither', () => {
    const groups = (name: string): string[][] | undefined => {
      const scenario = SCENARIOS.find((each) => each.name === name);
      return scenario && alikeAcceptors(scenario);
    };
    expect(groups('w-w')).toEqual([['a1', 'a2', 'a3']]);
    expect(groups('add-accept-2')).toEqual([['a1'], ['a2']]);
    expect(groups('add-accept-3')).toEqual([['a1', 'a2'], ['a3']]);
  });
});
