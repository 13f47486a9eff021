import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import type { Tombstone } from '../../src/redis/acceptor-admin.js';
import type { MemberConfiguration, Nodes } from '../nodes/nodes.js';
import { Pace } from '../rescan/pace.js';
import { ControlError, type Objection } from '../safety/objection.js';
import { rescanOf } from '../safety/plan.js';
import { absenceAmong, objectionsTo, unreachableObjection } from '../step/absence.js';
import { inAgreement } from '../step/agreement.js';
import type { Manner } from '../step/step.js';
import type { Progress } from '../terminal/progress.js';
import { Survey } from './survey.js';

/** What one look at every acceptor has found. */
export interface Findings {
  readonly present: readonly MemberConfiguration[];
  readonly configuration: Configuration;
  readonly survey: Survey;
  readonly tombstones: Map<string, Tombstone>;
  /** Keys that a round has to bring to all acceptors first. */
  readonly differing: Set<string>;
  readonly isCutOff: boolean;
}

/**
 * Looks at every register of every acceptor of both sets.
 * @param tombstonesMax after which it stops looking: `isCutOff`
 * @throws ControlError if not every node can be asked, or one that may hold what is removed has no part in it
 */
export async function findTombstones(
  nodes: Nodes,
  progress: Pick<Progress, 'show'>,
  tombstonesMax: number,
  manner: Pick<Manner, 'dryRun'> = {},
): Promise<Findings> {
  const present = await inAgreement(nodes, manner);
  const [configuration] = present.flatMap(({ configuration: sets }) => (isConfigured(sets) ? [sets] : []));
  if (!configuration) throw new ControlError('no proposer is configured. Give them acceptors with add-accept and add-prepare first');
  const identities = await takingPart(nodes, configuration);
  const survey = new Survey(nodes, identities, configuration.era);

  const pace = new Pace(nodes.time, await survey.size());
  const tombstones = new Map<string, Tombstone>();
  const differing = new Set<string>();
  let isCutOff = false;
  const take: Parameters<Survey['list']>[0] = (findings) => {
    for (const [key, finding] of findings) {
      if (finding.kind === 'collectable') tombstones.set(key, finding.tombstone);
      else if (finding.kind === 'differing') differing.add(key);
    }
    isCutOff = tombstones.size + differing.size >= tombstonesMax;
    return !isCutOff;
  };
  await survey.list(take, (count) => {
    pace.add(count);
    progress.show(`looked at ${String(pace)}`, pace.fraction);
  });
  for (const key of tombstones.keys()) differing.delete(key);
  return { present, configuration, survey, tombstones, differing, isCutOff };
}

/**
 * The acceptors of both sets, each of which has to take part, with their identities.
 * @throws ControlError if one cannot, or one of an earlier step may hold what is removed here
 */
async function takingPart(nodes: Nodes, configuration: Configuration): Promise<Record<string, string>> {
  const listed = acceptorsOf(configuration);
  const { identities = {}, resting = [], prepare } = configuration;
  const objections: Objection[] = [];
  const anonymous = listed.filter((name) => identities[name] === undefined);
  if (anonymous.length > 0) {
    const why = `${anonymous.join(' and ')} has no identity yet, so nobody would notice that it lost its data`;
    objections.push({ why, advice: 'The next step gives it one', steps: [{ verb: 'resize', acceptors: listed }] });
  }
  const members = new Set(listed.map((name) => identities[name]));
  if (resting.some(({ nodes: holders }) => holders.some((identity) => !members.has(identity)))) {
    const why = 'values may rest on acceptors of an earlier step, which hold what would be removed here: a rescan must come first';
    objections.push({ why, advice: 'First', steps: [rescanOf(prepare)] });
  }
  const absence = await absenceAmong(nodes, listed, identities);
  if (absence.unreachable.length > 0) {
    objections.push(unreachableObjection(absence));
  }
  objections.push(...objectionsTo(absence, listed));
  const [first] = objections;
  if (first) throw new ControlError(`${first.why}. Nothing was removed`, first);
  return Object.fromEntries(listed.map((name) => [name, identities[name] ?? '']));
}
