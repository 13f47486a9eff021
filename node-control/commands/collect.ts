import { isConfigured } from '../../src/protocol/configuration.js';
import type { Tombstone } from '../../src/redis/acceptor-admin.js';
import { sleep } from '../../src/protocol/time.js';
import { findTombstones } from '../collection/findings.js';
import { inParts, KEYS_AT_ONCE, type Survey } from '../collection/survey.js';
import type { MemberConfiguration, Nodes } from '../nodes/nodes.js';
import { RescanWorkers } from '../rescan/workers.js';
import { ControlError } from '../safety/objection.js';
import { underNewEra } from '../step/eras.js';
import { highestFloor } from '../step/floors.js';
import type { Manner } from '../step/step.js';
import type { Progress } from '../terminal/progress.js';

/** Tombstones under one era: as many as fit well into memory. Where there are more, it begins anew until none is left. */
const TOMBSTONES_MAX = 50_000;
/** Keys in one request to a proposer. */
const ROUNDS_AT_ONCE = 100;
/** A round ends with a quorum: what it sent to the other acceptors arrives a little later. */
const SETTLING_PAUSES_MS = [20, 200, 1_000];
/** Of a proposer that gets nothing done, before its next batches. */
const TROUBLE_PAUSES_MS = [200, 500, 1_000];

/** What one pass did. */
interface Pass {
  readonly era: number;
  readonly removed: number;
  /** Keys whose tombstone is not the same on all acceptors, and such that a round has begun for meanwhile. */
  readonly differing: number;
  readonly busy: number;
  /** Whether there were more than it could take. */
  readonly isCutOff: boolean;
}

/**
 * Removes the registers of keys that were deleted from every acceptor (paper, section 3.1), while clients run. In this order, without which an
 * older value could come back, or a version be given out twice (docs/protocol.md, "Deletion"):
 *
 * 1. each tombstone is on every acceptor, under one ballot of the present era; where it is not, a round that keeps the value brings it there;
 * 2. a step that changes nothing but the era, on every proposer: what was sent before it is of an earlier era;
 * 3. every acceptor has a floor of that era, and of the highest version among the tombstones; and the era is still in force;
 * 4. each acceptor removes exactly the tombstones that were seen, unless a round of the new era has touched them.
 *
 * It may end anywhere: what it leaves is safe, and the next one begins with the first again.
 *
 * @param progress what its `show` throws, a `ControlError`, ends the collection
 * @returns what was removed, and what was not and why
 * @throws ControlError if not every node can be asked, or the configuration changes meanwhile
 */
export async function collect(
  nodes: Nodes,
  progress: Pick<Progress, 'show'>,
  { dryRun = false }: Manner = {},
  tombstonesMax = TOMBSTONES_MAX,
): Promise<string[]> {
  if (dryRun) return outlook(nodes, progress, tombstonesMax);
  const tally: Tally = { removed: 0, era: 0 };
  try {
    return await collectAll(nodes, progress, tombstonesMax, tally);
  } finally {
    // What was removed is told of a collection that was ended, too.
    if (tally.removed > 0) nodes.collections?.add(tally);
  }
}

/** What was removed so far, under which era last. */
interface Tally {
  removed: number;
  era: number;
}

async function collectAll(nodes: Nodes, progress: Pick<Progress, 'show'>, tombstonesMax: number, tally: Tally): Promise<string[]> {
  for (;;) {
    const pass = await collectOnce(nodes, progress, tombstonesMax, tally);
    if (pass.isCutOff && pass.removed > 0) continue;
    const left = [
      ...(pass.differing > 0 ? [`${pass.differing} not the same on all acceptors yet`] : []),
      ...(pass.busy > 0 ? [`${pass.busy} in use again`] : []),
    ];
    return [
      tally.removed === 0 ? 'nothing was removed' : `${registersText(tally.removed)} of deleted keys removed (era ${pass.era})`,
      ...(left.length > 0 ? [`left: ${left.join(', ')}; the next collection looks at them again`] : []),
    ];
  }
}

/** What a collection would find now. Changes nothing. */
async function outlook(nodes: Nodes, progress: Pick<Progress, 'show'>, tombstonesMax: number): Promise<string[]> {
  const { tombstones, differing, isCutOff } = await findTombstones(nodes, progress, tombstonesMax, { dryRun: true });
  const count = tombstones.size + differing.size;
  if (isCutOff) return [`${count} or more registers of deleted keys would be removed`];
  const apart = differing.size > 0 ? `, ${differing.size} of them after a round that brings them to all acceptors` : '';
  return [count === 0 ? 'nothing would be removed' : `${registersText(count)} of deleted keys would be removed${apart}`];
}

async function collectOnce(nodes: Nodes, progress: Pick<Progress, 'show'>, tombstonesMax: number, tally: Tally): Promise<Pass> {
  const { present, configuration, survey, tombstones, differing, isCutOff } = await findTombstones(nodes, progress, tombstonesMax);
  if (differing.size > 0) await bringTogether(nodes, present, survey, differing, tombstones, progress);
  const { era } = configuration;
  if (tombstones.size === 0) return { era, removed: 0, differing: differing.size, busy: 0, isCutOff };
  const entered = await enterEra(nodes, present, survey, [...tombstones.values()]);
  tally.era = entered;
  const removed = await remove(survey, [...tombstones.values()], progress, tally);
  return { era: entered, removed, differing: differing.size, busy: tombstones.size - removed, isCutOff };
}

/** Brings tombstones to all acceptors that differ in them, by rounds that keep the value. Those that are alike then go from the one to the other. */
async function bringTogether(
  nodes: Nodes,
  present: readonly MemberConfiguration[],
  survey: Survey,
  differing: Set<string>,
  tombstones: Map<string, Tombstone>,
  progress: Pick<Progress, 'show'>,
): Promise<void> {
  let done = 0;
  const configured = present.filter(({ configuration }) => isConfigured(configuration));
  const workers = new RescanWorkers({
    proposers: configured.map(({ member }) => member),
    era: configured[0]?.configuration.era ?? 0,
    batchKeys: ROUNDS_AT_ONCE,
    pausesMs: TROUBLE_PAUSES_MS,
    failuresMax: Infinity,
    time: nodes.time,
    onKeys: (count) =>
      progress.show(`${(done += count)} of ${registersText(differing.size)} brought to all acceptors`, done / differing.size),
  });
  await workers.through((take) => take([...differing]));
  for (const pauseMs of SETTLING_PAUSES_MS) {
    await sleep(nodes.time, pauseMs);
    for (const [key, finding] of await survey.lookAt([...differing])) {
      if (finding.kind !== 'differing') differing.delete(key);
      if (finding.kind === 'collectable') tombstones.set(key, finding.tombstone);
    }
    if (differing.size === 0) return;
  }
}

/**
 * Raises the era on every proposer and the floor on every acceptor. The order matters if this ends in between: a floor of an era that no proposer has
 * would leave them without a quorum for absent keys until the next run.
 *
 * @returns the era
 */
async function enterEra(
  nodes: Nodes,
  present: readonly MemberConfiguration[],
  survey: Survey,
  tombstones: readonly Tombstone[],
): Promise<number> {
  const era = await underNewEra(present, {}, ({ configuration }) => configuration);
  const { version: before } = highestFloor(await survey.onAll((admin) => admin.floor()));
  const version = tombstones.reduce((highest, tombstone) => Math.max(highest, tombstone.version), before);
  await survey.onAll((admin) => admin.raiseFloor({ era, version }));
  // Whoever lets an acceptor join takes an era first, and asks for the floor then: one that asked before all had it is seen here.
  const now = await nodes.readAll();
  if (now.some(({ configuration }) => configuration.era !== era)) {
    throw new ControlError('a configuration changed during the collection, so nothing was removed. Run it again');
  }
  return era;
}

/** @returns how many of these keys no acceptor has a register of any more; they are added to the tally one part after the other */
async function remove(survey: Survey, tombstones: readonly Tombstone[], progress: Pick<Progress, 'show'>, tally: Tally): Promise<number> {
  const before = tally.removed;
  let tried = 0;
  for (const part of inParts(tombstones, KEYS_AT_ONCE)) {
    const counts = await survey.onAll((admin) => admin.erase(tally.era, part));
    const isWhole = counts.every((count) => count === part.length);
    const left = isWhole ? [] : [...(await survey.lookAt(part.map(({ key }) => key))).values()].filter(({ kind }) => kind !== 'absent');
    tally.removed += part.length - left.length;
    tried += part.length;
    progress.show(`removed ${tally.removed - before} of ${registersText(tombstones.length)}`, tried / tombstones.length);
  }
  return tally.removed - before;
}

function registersText(count: number): string {
  return `${count} register${count === 1 ? '' : 's'}`;
}
