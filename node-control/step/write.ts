import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import type { MemberConfiguration, Nodes } from '../nodes/nodes.js';
import { alwaysMeet, type Identities, identified, restingAfter, type Transition } from '../safety/guard.js';
import { ControlError, reasonOf } from '../safety/objection.js';
import { typed } from '../safety/typed-step.js';
import { underNewEra } from './eras.js';
import { floorOf, highestFloor } from './floors.js';
import { adopt } from './joining.js';
import type { Judgement } from './judge.js';
import type { Sight } from './sight.js';

/** How many forced steps the configurations remember. */
const FORCED_KEPT = 8;

/**
 * Does what was judged.
 * @returns the era in force then
 * @throws ControlError if it could not be done, or not be finished
 */
export async function write(nodes: Nodes, sight: Sight, { warnings }: Judgement, force: boolean): Promise<number> {
  const { order, present, leftOut, transitions, joining } = sight;
  const { step } = order;
  const { identities, newcomers } = joining;
  const leastEra = Math.max(joining.era, ...leftOut.map(({ era }) => era));
  await adopt(newcomers);
  const resting = restingAfter(transitions).filter((entry) => !force || isMetBy(transitions, entry));
  const inSpiteOf = [...warnings, ...joining.vouched];
  const record = inSpiteOf.length === 0 ? [] : [`${typed(step)}: ${inSpiteOf.join('; ')}`];
  const shared = { identities, resting, ...forcedWith(present, record) };
  const kept = identitiesOf(transitions, identities);
  const after = ({ member }: MemberConfiguration): Configuration => {
    const transition = transitions.find((candidate) => candidate.member === member);
    return { ...(transition as Transition).after, ...shared, identities: kept };
  };
  return underNewEra(present, shared, after, leastEra, () => giveFloors(nodes, sight, force));
}

/**
 * Gives the acceptors that join the highest floor of the cluster. Else a key that was collected, and that only newcomers are asked about, would begin
 * at version 1 again. Example: acceptors 1 and 2 are replaced while the key is absent, of which a rescan carries nothing.
 *
 * Members are asked when the era is taken on every proposer. A collection that has not seen that era has all its floors on the members already, and one
 * that sees it removes nothing: it looks at the eras between its last floor and its first removal.
 *
 * @throws ControlError if no member can be asked and the step is not forced, or a newcomer stopped answering
 */
async function giveFloors(nodes: Nodes, { present, joining, absence }: Sight, force: boolean): Promise<void> {
  const newcomers = Object.entries(joining.newcomers);
  if (newcomers.length === 0) return;
  const names = newcomers.map(([name]) => name).join(' and ');
  const told = await floorOf(
    nodes,
    present.map(({ configuration }) => configuration),
    absence.unreachable,
  );
  if (!told && !force) {
    throw new ControlError(
      `no acceptor of the cluster answers, to say what ${names} must know of what was deleted. Start one and run the same command again`,
    );
  }
  try {
    const own = await Promise.all(newcomers.map(([, { admin }]) => admin.floor()));
    const floor = highestFloor([...own, ...(told ? [told] : [])]);
    if (floor.era > 0) await Promise.all(newcomers.map(([, { admin }]) => admin.raiseFloor(floor)));
  } catch (error) {
    const why = `${names} stopped answering, or somebody else adds it at this moment (${reasonOf(error)})`;
    throw new ControlError(`${why}. Look at the status, and run the same command again`);
  }
}

/** What the configurations remember of forced steps, and more of them. */
export function forcedWith(present: readonly MemberConfiguration[], records: readonly string[]): Pick<Configuration, 'forced'> {
  const forced = [...new Set([...present.flatMap(({ configuration }) => configuration.forced ?? []), ...records])].slice(-FORCED_KEPT);
  return forced.length === 0 ? {} : { forced };
}

/** Those of acceptors that are still listed. */
function identitiesOf(transitions: readonly Transition[], identities: Identities): Identities {
  const listed = new Set(transitions.flatMap(({ after }) => acceptorsOf(after)));
  return Object.fromEntries(Object.entries(identities).filter(([name]) => listed.has(name)));
}

/** What a forced step gave up is no longer owed: no later step could pay for it. One that leaves a set empty gives up nothing yet. */
function isMetBy(transitions: readonly Transition[], entry: QuorumSet): boolean {
  return transitions.every(({ after }) => !isConfigured(after) || alwaysMeet(identified(after.prepare, after), entry));
}
