import { isDeepStrictEqual } from 'node:util';
import { acceptorsOf, type Configuration } from '../../src/protocol/configuration.js';
import { parseConfiguration } from '../../src/store/parse-configuration.js';
import { type MemberConfiguration, missingAmong, type Nodes, reachedAmong } from '../nodes/nodes.js';
import { type Identities, identified } from '../safety/guard.js';
import { ControlError } from '../safety/objection.js';
import { absenceAmong } from './absence.js';
import { floorOf } from './floors.js';
import { type Joining, lookAtJoining } from './joining.js';
import { allAcceptors, leftOutOf } from './left-out.js';
import { rightsObjections } from './rights.js';
import type { MemberTransition, Sight, StepOrder } from './sight.js';

/**
 * Reads all proposers, and meets the acceptors that the step is about.
 * @param force is content with the proposers that can be reached
 * @throws ControlError if not every proposer can be asked
 */
export async function look(nodes: Nodes, order: StepOrder, force: boolean): Promise<Sight> {
  const { present, missing } = force ? await reachable(nodes) : { present: await nodes.readAll(), missing: [] };
  const changes = present.map(({ member, configuration }): Change => {
    const isSelected = order.selected.includes(member);
    return { member, before: configuration, after: isSelected ? parseConfiguration(order.change(configuration, present)) : configuration };
  });
  const before = changes.map((change) => change.before);
  const after = changes.map((change) => change.after);
  const listed = [...new Set(before.flatMap(acceptorsOf))];
  const asked = force ? allAcceptors(nodes, before) : [...new Set([...listed, ...after.flatMap(acceptorsOf)])];
  const [joining, leftOut] = await Promise.all([lookAtJoining(nodes, before, after), leftOutOf(nodes, present, asked)]);
  const transitions = changes.map((change) => transitionOf(change, joining, recognizedIn(before, joining.identities)));
  const isSettled = new Set(before.map(({ era }) => era)).size === 1;
  const stands = isSettled && transitions.every(({ changed }) => !changed) && Object.keys(joining.newcomers).length === 0;
  // To force it leaves behind who is left out, though the sets stay as they are.
  const isDone = stands && !(force && leftOut.length > 0);
  const { identities, newcomers } = joining;
  // Those that join were met just now, and are none of those that the sets of before need.
  const known = Object.fromEntries(Object.entries(identities).filter(([name]) => !(name in newcomers)));
  const unlisted = Object.keys(newcomers).filter((name) => !listed.includes(name));
  const [absence, forbidden] = await Promise.all([
    absenceAmong(nodes, isDone ? [] : listed, known),
    rightsObjections(
      present.map(({ member }) => member),
      unlisted,
    ),
  ]);
  const joins = !isDone && Object.keys(newcomers).length > 0;
  const isFloorTold = !joins || (await floorOf(nodes, before, absence.unreachable)) !== undefined;
  const objections = [...joining.objections, ...forbidden];
  return { order, present, missing, leftOut, transitions, joining: { ...joining, objections }, absence, isFloorTold, isSettled, isDone };
}

type Change = Pick<MemberTransition, 'member' | 'before' | 'after'>;

/** @param recognized acceptors that some proposer lists without an identity, for none had one yet */
function transitionOf({ member, before, after }: Change, { identities, resting }: Joining, recognized: Identities): MemberTransition {
  return {
    member,
    name: member.name,
    changed: !isDeepStrictEqual([before.prepare, before.accept], [after.prepare, after.accept]),
    before: {
      ...before,
      identities: { ...identities, ...before.identities },
      resting: [...(before.resting ?? []), ...resting].map((entry) => identified(entry, { identities: recognized })),
    },
    after: { ...after, identities },
  };
}

async function reachable(nodes: Nodes): Promise<{ present: MemberConfiguration[]; missing: string[] }> {
  const answers = await nodes.tryReadAll();
  const present = reachedAmong(answers);
  if (present.length === 0) throw new ControlError('no proposer can be reached');
  return { present, missing: missingAmong(answers) };
}

/** Acceptors that any proposer lists without an identity are who they were: so are those of the same name in the entries of all. */
function recognizedIn(configurations: readonly Configuration[], identities: Identities): Identities {
  const names = configurations.flatMap((each) => acceptorsOf(each).filter((name) => each.identities?.[name] === undefined));
  return Object.fromEntries(Object.entries(identities).filter(([name]) => names.includes(name)));
}
