import type { Floor } from '../../src/protocol/acceptor.js';
import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import type { Nodes } from '../nodes/nodes.js';
import { knownIdentities } from '../safety/identities.js';

export const NO_FLOOR: Floor = { era: 0, version: 0 };

/** The highest of each part. */
export function highestFloor(floors: readonly Floor[]): Floor {
  return floors.reduce((a, b) => ({ era: Math.max(a.era, b.era), version: Math.max(a.version, b.version) }), NO_FLOOR);
}

/** Who belonged to the cluster at its last collection, or has joined since: the identities that are listed, or that values may rest on. */
export function membersOf(configurations: readonly Configuration[]): ReadonlySet<string> {
  const resting = configurations.flatMap((sets) => sets.resting ?? []).flatMap(({ nodes }) => nodes);
  return new Set([...Object.values(knownIdentities(configurations)), ...resting]);
}

/**
 * The highest floor of the cluster (paper, section 3.1), which its members know: they had it before anything was removed under it, or were given it when
 * they joined. If no proposer remembers anything, every acceptor may be one.
 *
 * A step that was interrupted leaves the acceptor that was to join among those that values may rest on, before it was told any floor; then it
 * holds nothing either. Example: acceptor-1 was to join acceptor-2, which is unreachable for a moment when the step is repeated. So where a proposer
 * serves, those that are listed tell the floor; where none does, those that hold something, or have a floor.
 *
 * @param without acceptors that do not answer, which need not be waited for
 * @returns undefined if there are members, none tells anything, and one that could does not answer
 */
export async function floorOf(
  nodes: Nodes,
  configurations: readonly Configuration[],
  without: readonly string[],
): Promise<Floor | undefined> {
  const isServed = configurations.some(isConfigured);
  const members = isServed ? new Set(Object.values(knownIdentities(configurations))) : membersOf(configurations);
  const isForgotten = configurations.every(({ era }) => era === 0);
  const names = [...new Set([...configurations.flatMap(acceptorsOf), ...nodes.acceptors])];
  const ask = (name: string) =>
    nodes.withAcceptor(name, async (admin) => {
      const floor = await admin.floor();
      const tells = isServed || floor.era > 0 || (await admin.size()) > 0;
      // Asked after the floor: it then was the same acceptor until then.
      return { floor, tells, identity: (await admin.identity()) ?? '' };
    });
  const asked = await Promise.allSettled(names.filter((name) => !without.includes(name)).map(ask));
  const answers = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const told = answers.filter(({ tells, identity }) => tells && (isForgotten || members.has(identity))).map(({ floor }) => floor);
  if (told.length > 0 || members.size === 0) return highestFloor(told);
  const present = new Set(answers.map(({ identity }) => identity));
  // One that every acceptor was asked for is nowhere any more.
  const isComplete = answers.length === names.length || [...members].every((identity) => present.has(identity));
  return isComplete && !isServed ? NO_FLOOR : undefined;
}
