import { acceptorsOf, EMPTY_CONFIGURATION, isConfigured } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import { haveSameSets } from '../step/agreement.js';
import type { Nodes, MemberConfiguration } from '../nodes/nodes.js';
import { ControlError, ifRefused } from '../safety/objection.js';
import { type Identities, identified, setText, thinnedBy } from '../safety/guard.js';
import { lookAtJoining } from '../step/joining.js';
import { knownIdentities } from '../safety/identities.js';
import { type PlannedStep, planSteps, rescanOf, type Sets, type Start } from '../safety/plan.js';
import { type Absence, absenceAmong, objectionsTo, shortage } from '../step/absence.js';
import { leavingBehind, leftOutObjections, leftOutOf } from '../step/left-out.js';

/**
 * Why nobody can use the sets, now or later: some of their acceptors lost their data. What lost its data can join again as another acceptor,
 * once there are no sets; undefined if a way leads from the sets as they are, or they are not useless.
 * @throws ControlError if no way leads from no sets either
 */
export async function uselessSets(nodes: Nodes, present: readonly MemberConfiguration[], goal: Sets): Promise<string | undefined> {
  const { strangers } = await absenceOf(nodes, present);
  if (strangers.length === 0) return undefined;
  const configured = present.flatMap(({ configuration }) => (isConfigured(configuration) ? [configuration] : []));
  if (configured.length === 0) return 'No proposer is configured, and some acceptors lost their data';
  const isDead = (set: QuorumSet): boolean => shortage(set, strangers) > 0;
  if (!configured.every(({ prepare, accept }) => isDead(prepare) || isDead(accept))) return undefined;
  if (haveSameSets(present.map(({ configuration }) => configuration)) && (await planFrom(nodes, present, goal).catch(ifRefused)))
    return undefined;
  const { prepare, accept } = EMPTY_CONFIGURATION;
  const wiped = present.map(({ member, configuration }) => {
    const inUse = isConfigured(configuration) ? [identified(configuration.accept, configuration)] : [];
    const resting = [...(configuration.resting ?? []), ...inUse];
    return { member, configuration: { era: configuration.era, prepare, accept, resting } };
  });
  await planFrom(nodes, wiped, goal);
  return `No quorum will ever answer again, since ${strangers.join(' and ')} lost the data`;
}

/**
 * The steps from what the proposers have to these sets, past acceptors that are gone, with what may rest on those that no proposer remembers.
 * @throws ControlError if there is no safe way, or one that cannot be gone now
 */
export async function planFrom(nodes: Nodes, present: readonly MemberConfiguration[], goal: Sets): Promise<PlannedStep[]> {
  const before = present.map(({ configuration }) => configuration);
  const [first] = before;
  if (!first) throw new ControlError('there is no proposer');
  const { identities, resting: forgotten, objections } = await lookAtJoining(nodes, before, [{ era: 0, ...goal }]);
  const listed = [...new Set(before.flatMap(acceptorsOf))];
  const { unreachable, strangers, wentBack } = await absenceOf(nodes, present);
  const isInTheWay = strangers.some((name) => goal.accept.nodes.includes(name));
  const leftOut = await leftOutOf(nodes, present, [...new Set([...listed, ...goal.prepare.nodes, ...goal.accept.nodes])]);
  const all = [
    ...leftOutObjections(leftOut, leavingBehind(present)),
    ...objections,
    ...(isInTheWay ? objectionsTo({ strangers, wentBack }, listed) : []),
  ];
  if (all.length > 0) {
    throw new ControlError(`${all.map(({ why }) => why).join('; ')}. Nothing was changed`, ...all);
  }
  const resting = [...forgotten, ...before.flatMap((configuration) => configuration.resting ?? [])];
  const inUse = isConfigured(first) ? [identified(first.accept, { identities })] : [];
  // The last are the first to leave: those that cannot help are in the way of a rescan.
  const absent = [...unreachable, ...strangers];
  const order = ({ nodes, quorum }: QuorumSet): QuorumSet => ({
    nodes: [...nodes.filter((name) => !absent.includes(name)), ...nodes.filter((name) => absent.includes(name))],
    quorum,
  });
  const start = { prepare: order(first.prepare), accept: order(first.accept), resting: [...resting, ...inUse] };
  // Where a proposer serves, those that hold something were objected to above.
  const joining = before.some(isConfigured) ? [] : goal.accept.nodes.filter((name) => !listed.includes(name));
  const way = planSteps(start, goal, identities, undefined, await holdingAmong(nodes, joining));
  if (!way) throw await noSafeWay(nodes, start, goal);
  const plan = withLastRescan(way, start, identities);
  const isInVain = ({ step }: PlannedStep, index: number): boolean => {
    const { prepare, accept } = plan[index - 1]?.after ?? start;
    return step.verb === 'rescan' && [prepare, accept].some((set) => shortage(set, strangers) > 0);
  };
  if (plan.some(isInVain)) {
    const left = nodes.acceptors.filter((name) => !strangers.includes(name));
    const isGoal = left.every((name) => goal.accept.nodes.includes(name));
    throw new ControlError(
      `${strangers.join(' and ')} lost the data, and without that no quorum answers the rescan that must come first. Nothing was changed`,
      isGoal ? { advice: 'Bring a volume back' } : { advice: 'First', steps: [{ verb: 'resize', acceptors: left }] },
    );
  }
  return plan;
}

/** Those of these acceptors that hold something; one that does not answer counts as empty. */
export async function holdingAmong(nodes: Nodes, names: readonly string[]): Promise<string[]> {
  const sizes = await Promise.all(names.map((name) => nodes.withAcceptor(name, (admin) => admin.size()).catch(() => 0)));
  return names.filter((_, index) => (sizes[index] ?? 0) > 0);
}

async function noSafeWay(nodes: Nodes, { resting }: Start, goal: Sets): Promise<ControlError> {
  const rest = [...new Set(resting.map(setText))].join(', and on ');
  const holders = await holdersAmong(nodes, resting);
  const isThere = holders.every((name) => goal.accept.nodes.includes(name));
  return new ControlError(
    `no order of steps leads there safely${rest ? `: values may rest on ${rest}` : ''}. Nothing was changed`,
    isThere ? { advice: 'Bring back those that have these' } : { advice: 'First', steps: [{ verb: 'resize', acceptors: holders }] },
  );
}

/** The acceptors that are still who they were when a value came to rest on them. */
export async function holdersAmong(nodes: Nodes, resting: readonly QuorumSet[]): Promise<string[]> {
  const holding = await Promise.all(
    nodes.acceptors.map(async (name) => {
      const identity = await nodes.withAcceptor(name, (admin) => admin.identity()).catch(() => undefined);
      return identity !== undefined && resting.some(({ nodes }) => nodes.includes(identity));
    }),
  );
  return nodes.acceptors.filter((_, index) => holding[index]);
}

/** So that what leaves the cluster may be wiped, without a value that has fewer copies then. */
function withLastRescan(way: readonly PlannedStep[], start: Start, identities: Identities): PlannedStep[] {
  const { resting, prepare, accept } = way.at(-1)?.after ?? start;
  const configuration = { era: 0, prepare, accept, resting };
  const staying = prepare.nodes.map((name) => identities[name] ?? name);
  const leaving = resting.flatMap(({ nodes }) => nodes).filter((node) => !staying.includes(node));
  if (thinnedBy(leaving, configuration).length === 0) return [...way];
  const kept = resting.filter((entry) => entry.nodes.every((node) => staying.includes(node)));
  return [...way, { step: rescanOf(prepare), after: { prepare, accept, resting: kept } }];
}

/** Of the acceptors that any proposer lists. */
export function absenceOf(nodes: Nodes, present: readonly MemberConfiguration[]): Promise<Absence> {
  const configurations = present.map(({ configuration }) => configuration);
  return absenceAmong(nodes, [...new Set(configurations.flatMap(acceptorsOf))], knownIdentities(configurations));
}
