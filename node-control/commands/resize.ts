import { isConfigured } from '../../src/protocol/configuration.js';
import { haveSameSets, inAgreement } from '../step/agreement.js';
import { type Nodes, ControlError, type Present } from '../nodes/nodes.js';
import { setsKey } from '../safety/guard.js';
import { majority, type Sets } from '../safety/plan.js';
import type { Progress } from '../terminal/progress.js';
import { planFrom, uselessSets } from '../safety/resize-plan.js';
import { copy } from './copy.js';
import { membership, type MembershipCommand } from './membership.js';
import { rescan } from './rescan.js';
import { wipe } from './wipe.js';

/** More acceptors make a cluster slower and hardly safer. */
const ACCEPTORS_MAX = 7;

export interface ResizeOptions {
  /** Prints the way, and does not go it. */
  readonly dryRun?: boolean;
  readonly print: (line: string) => void;
  readonly progress: Pick<Progress, 'show'>;
}

/**
 * Leads every proposer from whatever it has to these acceptors, with majorities as quorums: finds the steps, prints them, and does one after
 * the other. Where it was interrupted, at any point, it goes on from there when it is run again.
 *
 * @throws ControlError where there is no safe way, or a step was refused or could not be finished
 */
export async function resize(nodes: Nodes, target: readonly string[], { dryRun = false, print, progress }: ResizeOptions): Promise<void> {
  for (const name of target) nodes.assertAcceptor(name);
  if (target.length < 1 || target.length > ACCEPTORS_MAX) throw new ControlError(`a cluster has 1 to ${ACCEPTORS_MAX} acceptors`);
  const set = { nodes: target, quorum: majority(target.length) };
  const goal: Sets = { prepare: set, accept: set };

  let present = await nodes.readAll();
  const useless = await uselessSets(nodes, present, goal);
  if (useless !== undefined) {
    print(`${useless}. First: wipe all`);
    if (dryRun) return;
    for (const line of await wipe(nodes, 'all')) print(`  ${line}`);
    present = await nodes.readAll();
  }

  const model = await modelOf(nodes, present);
  if (model) {
    const command = `copy ${model} all`;
    print(`The proposers differ. First: ${command}`);
    if (dryRun) return;
    for (const line of await copy(nodes, model, 'all')) print(`  ${line}`);
    present = await nodes.readAll();
  }

  // A step that was interrupted in its last writes leaves the sets of all, and a proposer in an era that is over.
  if (!dryRun) present = await inAgreement(nodes);
  const plan = await planFrom(nodes, present, goal);
  if (plan.length === 0) print('Nothing to do: these are the acceptors.');
  else print(`${plan.length} step${plan.length === 1 ? '' : 's'}:`);
  for (const [index, { command }] of plan.entries()) print(`  ${index + 1}. ${command}`);
  if (dryRun) return;

  for (const [index, { command, after }] of plan.entries()) {
    const lines = await carryOut(nodes, command, progress);
    const era = await eraWith(nodes, after);
    print(`[${index + 1}/${plan.length}] ${command}: ${command.startsWith('rescan') ? lines.join('; ') : `done (era ${era})`}`);
  }
  for (const line of await wipeable(nodes, target)) print(line);
}

/**
 * Where the proposers differ: the one whose sets all can have. First choice is the one that was changed last, of those that can run rounds; where
 * its sets need an acceptor that is lost meanwhile, the way leads back.
 */
async function modelOf(nodes: Nodes, present: readonly Present[]): Promise<string | undefined> {
  const [first] = present;
  if (!first || haveSameSets(present.map(({ configuration }) => configuration))) return undefined;
  const configured = present.filter(({ configuration }) => isConfigured(configuration));
  const candidates = configured.length > 0 ? configured.sort((a, b) => b.configuration.era - a.configuration.era) : [first];
  const refusals: ControlError[] = [];
  for (const { member } of candidates) {
    try {
      await copy(nodes, member.name, 'all', { dryRun: true });
      return member.name;
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      refusals.push(error);
    }
  }
  throw refusals[0] ?? new ControlError('the proposers differ');
}

function carryOut(nodes: Nodes, command: string, progress: Pick<Progress, 'show'>): Promise<string[]> {
  const [verb = '', first = '', second = '', third = ''] = command.split(' ');
  if (verb === 'wipe') return wipe(nodes, first);
  if (verb === 'rescan') return rescan(nodes, first.split(','), Number(second), progress);
  return membership(nodes, verb as MembershipCommand, first, second, Number(third));
}

/** The era of all proposers, when they have these sets. */
async function eraWith(nodes: Nodes, sets: Sets): Promise<number> {
  const present = await nodes.readAll();
  const other = present.find(({ configuration }) => !isSameSets(configuration, sets));
  if (other) {
    throw new ControlError(
      `${other.member.name} has other sets than this step gave it: somebody else changes the cluster. Run resize again`,
    );
  }
  return Math.max(...present.map(({ configuration }) => configuration.era));
}

/** The acceptors that no longer belong to the cluster and still hold data. */
async function wipeable(nodes: Nodes, target: readonly string[]): Promise<string[]> {
  const others = nodes.acceptors.filter((name) => !target.includes(name));
  const sizes = await Promise.all(others.map((name) => nodes.withAcceptor(name, (admin) => admin.size()).catch(() => 0)));
  return others.flatMap((name, index) =>
    (sizes[index] ?? 0) > 0 ? [`${name} is not used any more and may be wiped: ./run-control.sh wipe-acceptor ${name}`] : [],
  );
}

function isSameSets(a: Sets, b: Sets): boolean {
  return setsKey(a) === setsKey(b);
}
