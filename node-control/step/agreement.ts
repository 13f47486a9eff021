import { isDeepStrictEqual } from 'node:util';
import { type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import type { Nodes, MemberConfiguration } from '../nodes/nodes.js';
import { ControlError } from '../safety/objection.js';
import { type Shared, underNewEra } from './eras.js';
import { assertNobodyLeftOut } from './left-out.js';
import type { Manner } from './step.js';
import { restingAfter, setsKey } from '../safety/guard.js';
import { knownIdentities, listedIdentities } from '../safety/identities.js';

/**
 * Reads all proposers, and first makes their configurations one and the same where only what goes with the sets differs: a control node
 * that was killed in its last writes leaves eras, and lists of where values rest, that differ while the sets are those of all.
 *
 * @param dryRun leaves them as they are
 * @throws ControlError if the sets of proposers that can run a round differ, which the step that was interrupted has to mend, or if a proposer is left out of
 * PROPOSERS: whoever wants all of them to agree is about to take an era
 */
export async function inAgreement(nodes: Nodes, { dryRun = false }: Pick<Manner, 'dryRun'> = {}): Promise<MemberConfiguration[]> {
  const present = await nodes.readAll();
  assertSameSets(present);
  if (!dryRun) await assertNobodyLeftOut(nodes, present);
  if (dryRun || areAlike(present)) return present;
  const shared = unionOf(present.map(({ configuration }) => configuration));
  await underNewEra(present, shared, ({ configuration }) => ({ ...configuration, ...shared }));
  const agreed = await nodes.readAll();
  if (!areAlike(agreed)) throw differing(agreed);
  assertSameSets(agreed);
  return agreed;
}

function assertSameSets(present: readonly MemberConfiguration[]): void {
  const configured = present.filter(({ configuration }) => isConfigured(configuration));
  if (!haveSameSets(configured.map(({ configuration }) => configuration))) throw differing(configured);
}

/** Whoever reads it need not be the one who typed the step: `copy` finishes it, or takes it back. */
function differing(present: readonly MemberConfiguration[]): ControlError {
  const latestFirst = [...present].sort((a, b) => b.configuration.era - a.configuration.era);
  return new ControlError(
    'the proposers differ: a step is under way or was interrupted. Run it again for all, then this command',
    ...latestFirst.map(({ member: { name } }, index) => ({
      advice: index === 0 ? 'Where nobody knows which it was' : 'where that is refused',
      steps: [{ verb: 'copy', from: name, proposers: 'all' } as const],
    })),
  );
}

/** Whether they list the same acceptors, and mean the same ones: after a wipe, an address is another acceptor. */
export function haveSameSets(configurations: readonly Configuration[]): boolean {
  const [first] = configurations;
  const identities = knownIdentities(configurations);
  return configurations.every(
    (sets) =>
      setsKey(sets) === (first && setsKey(first)) && listedIdentities(sets).every(([name, identity]) => identities[name] === identity),
  );
}

/** Apart from the sets: a proposer without acceptors has none. */
function areAlike(present: readonly MemberConfiguration[]): boolean {
  const [first, ...others] = present.map(({ configuration: { era, identities, resting, forced } }) => ({
    era,
    identities,
    resting,
    forced,
  }));
  return others.every((other) => isDeepStrictEqual(other, first));
}

/** What any of them knows. Nobody tells which of two lists is the older one, and one entry too many only asks for a rescan. */
function unionOf(configurations: readonly Configuration[]): Shared {
  const identities = knownIdentities(configurations);
  const resting = restingAfter(configurations.map((sets) => ({ name: '', before: sets, after: sets, changed: false })));
  const forced = [...new Set(configurations.flatMap((sets) => sets.forced ?? []))];
  return { identities, resting, ...(forced.length === 0 ? {} : { forced }) };
}
