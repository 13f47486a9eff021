import { isConfigured } from '../../src/protocol/configuration.js';
import { haveSameSets, inAgreement } from '../step/agreement.js';
import type { Nodes, MemberConfiguration } from '../nodes/nodes.js';
import { setsKey } from '../safety/guard.js';
import { majority, type Sets } from '../safety/plan.js';
import { commandLine, ControlError } from '../safety/objection.js';
import { type Step, typed } from '../safety/typed-step.js';
import type { Manner } from '../step/step.js';
import type { Terminal } from '../terminal/terminal.js';
import { copy } from './copy.js';
import { holdingAmong, planFrom, uselessSets } from './resize-plan.js';

/** More acceptors make a cluster slower and hardly safer. */
const ACCEPTORS_MAX = 7;

/**
 * Leads every proposer from whatever it has to these acceptors, with majorities as quorums: finds the steps, prints them, and does one after
 * the other. If it was interrupted, at any point, it goes on from there when it is run again.
 *
 * @param carryOut does the steps; it is what calls this function, and neither of the two modules imports the other
 * @throws ControlError if there is no safe way, or a step was refused or could not be finished
 */
export async function resize(
  nodes: Nodes,
  target: readonly string[],
  carryOut: (step: Step, nodes: Nodes, terminal?: Terminal, manner?: Manner) => Promise<string[]>,
  terminal: Terminal,
  { dryRun = false, byRounds = false }: Pick<Manner, 'dryRun' | 'byRounds'> = {},
): Promise<string[]> {
  const { print } = terminal;
  for (const name of target) nodes.assertAcceptor(name);
  if (target.length < 1 || target.length > ACCEPTORS_MAX) throw new ControlError(`a cluster has 1 to ${ACCEPTORS_MAX} acceptors`);
  const set = { nodes: target, quorum: majority(target.length) };
  const goal: Sets = { prepare: set, accept: set };

  let present = await nodes.readAll();
  const useless = await uselessSets(nodes, present, goal);
  if (useless !== undefined) {
    const step: Step = { verb: 'wipe', proposers: 'all' };
    print(`${useless}. First: ${typed(step)}`);
    if (dryRun) return [];
    for (const line of await carryOut(step, nodes)) print(`  ${line}`);
    present = await nodes.readAll();
  }

  const model = await modelOf(nodes, present);
  if (model) {
    const step: Step = { verb: 'copy', from: model, proposers: 'all' };
    print(`The proposers differ. First: ${typed(step)}`);
    if (dryRun) return [];
    for (const line of await carryOut(step, nodes)) print(`  ${line}`);
    present = await nodes.readAll();
  }

  // A step that was interrupted in its last writes leaves the sets of all, and a proposer in an era that is over.
  if (!dryRun) present = await inAgreement(nodes);
  const plan = await planFrom(nodes, present, goal);
  if (plan.length === 0) print('Nothing to do: these are the acceptors.');
  else print(`${plan.length} step${plan.length === 1 ? '' : 's'}:`);
  for (const [index, { step }] of plan.entries()) print(`  ${index + 1}. ${typed(step)}`);
  if (dryRun) return [];

  for (const [index, { step, after }] of plan.entries()) {
    const lines = await carryOut(step, nodes, terminal, { byRounds });
    const era = await eraWith(nodes, after);
    print(`[${index + 1}/${plan.length}] ${typed(step)}: ${step.verb === 'rescan' ? lines.join('; ') : `done (era ${era})`}`);
  }
  return wipeable(nodes, target);
}

/**
 * If the proposers differ: the one whose sets all can have. First choice is the one that was changed last, of those that can run rounds; if
 * its sets need an acceptor that is lost meanwhile, the way leads back.
 */
async function modelOf(nodes: Nodes, present: readonly MemberConfiguration[]): Promise<string | undefined> {
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

/** The era of all proposers, when they have these sets. */
async function eraWith(nodes: Nodes, sets: Sets): Promise<number> {
  const present = await nodes.readAll();
  const other = present.find(({ configuration }) => setsKey(configuration) !== setsKey(sets));
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
  const holding = await holdingAmong(nodes, others);
  return holding.map((name) => `${name} is not used any more and may be wiped: ${commandLine({ verb: 'wipe-acceptor', acceptor: name })}`);
}
