import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import { all, withDetours } from './passing-steps.js';
import { absenceOf, holdersAmong, holdingAmong, planFrom } from './resize-plan.js';
import type { MemberConfiguration, Nodes } from '../nodes/nodes.js';
import { alwaysMeet, entryKey, identified } from '../safety/guard.js';
import { knownIdentities } from '../safety/identities.js';
import { ControlError, ifRefused } from '../safety/objection.js';
import { planSteps, rescanOf } from '../safety/plan.js';
import type { Step } from '../safety/typed-step.js';
import { type Absence, objectionsTo } from '../step/absence.js';
import { haveSameSets } from '../step/agreement.js';
import { lossesBorne } from '../narration/now.js';
import { shortName } from '../narration/short-name.js';

/** What to type next, and what for. */
export interface Next {
  /** Without a full stop at the end. */
  readonly why: string;
  /** In their order. The guard lets the first one pass at this moment. */
  readonly steps: readonly Step[];
}

/** A way that is longer is told as the one command that finds it. */
const STEPS_MAX = 3;

/** A way that may be possible, the best first. */
interface Candidate {
  readonly why: string;
  readonly steps: () => Promise<readonly Step[]> | readonly Step[];
}

/**
 * The next sensible steps from where the cluster is, of which the control node would take the first one now. Changes nothing.
 * @returns undefined where nothing is to be done, or nothing can be: while a proposer does not answer, say
 */
export async function nextSteps(nodes: Nodes): Promise<Next | undefined> {
  const present = await nodes.readAll().catch(ifRefused);
  if (!present) return undefined;
  try {
    for (const { why, steps } of candidates(nodes, present, await absenceOf(nodes, present))) {
      const way = await Promise.resolve(steps()).catch(ifRefused);
      const passing = way && way.length > 0 ? await withDetours(nodes, way) : undefined;
      if (passing) return { why, steps: passing };
    }
    return undefined;
  } finally {
    nodes.closeAcceptors();
  }
}

function candidates(nodes: Nodes, present: readonly MemberConfiguration[], absence: Absence): readonly Candidate[] {
  const configurations = present.map(({ configuration }) => configuration);
  const [first] = configurations;
  if (!first) return [];
  const lead = { nodes, present, absence };
  if (!haveSameSets(configurations)) return agreeing(present);
  if (!isConfigured(first)) return beginning(lead, first);
  if (absence.strangers.length > 0) return replacing(lead);
  const due = dueIn(first);
  const { prepare, accept } = first;
  // Quorums of different sizes over the same acceptors are a choice.
  if (entryKey({ ...prepare, quorum: accept.quorum }) !== entryKey(accept)) return finishing(lead, first, due);
  if (due.length > 0) return [{ why: `${dueText(due)}. Before you shrink: a rescan`, steps: () => [rescanAsInReadme(first, due)] }];
  if (lossesBorne(first, acceptorsOf(first)) > 0 || nodes.acceptors.length < 3) return [];
  const why = 'To bear the loss of any one acceptor, grow to three, as the README does or in one command';
  return [{ why, steps: () => wayTo(lead, all(nodes.acceptors), 0) }];
}

interface Lead {
  readonly nodes: Nodes;
  readonly present: readonly MemberConfiguration[];
  readonly absence: Absence;
}

/** Where the proposers differ: the sets of one of them for all, of those first that were changed last. */
function agreeing(present: readonly MemberConfiguration[]): Candidate[] {
  const idle = present.filter(({ configuration }) => !isConfigured(configuration)).map(({ member }) => member.name);
  const serving = present.filter(({ configuration }) => isConfigured(configuration));
  const latestFirst = [...(serving.length > 0 ? serving : present)].sort((a, b) => b.configuration.era - a.configuration.era);
  const why = 'A step under way ends in a moment. One that was interrupted is run again, for all';
  const [taker = '', ...takers] = idle;
  const proposers = takers.length === 0 && taker !== '' && serving.length > 0 ? taker : 'all';
  const end =
    proposers === 'all' ? ', or all get the sets of one proposer' : '. A proposer that lost its volume gets the sets of another one';
  return latestFirst.map(({ member: { name } }) => ({ why: `${why}${end}`, steps: () => [{ verb: 'copy', from: name, proposers }] }));
}

/** Where no proposer can run a round: the sets that were begun, or where values rest, or one acceptor after the other. */
function beginning(lead: Lead, first: Configuration): Candidate[] {
  const { nodes, present } = lead;
  const begun = [first.prepare, first.accept].filter((set) => set.nodes.length > 0);
  const resting = present.flatMap(({ configuration }) => configuration.resting ?? []);
  const missing = first.prepare.nodes.length === 0 ? 'a prepare set' : 'an accept set';
  // Where no proposer remembers where values rest, they may on each that holds any.
  const holders = async (): Promise<readonly Step[]> =>
    wayTo(lead, all(await (resting.length > 0 ? holdersAmong(nodes, resting) : holdingAmong(nodes, nodes.acceptors))));
  return [
    ...begun.map((set): Candidate => ({ why: `Next: ${missing}`, steps: () => wayTo(lead, set) })),
    { why: 'To begin again where values rest', steps: holders },
    ...nodes.acceptors.map((name): Candidate => ({ why: 'To begin with one acceptor', steps: () => wayTo(lead, all([name])) })),
    { why: 'To begin with all acceptors', steps: () => wayTo(lead, all(nodes.acceptors)) },
  ];
}

/** Where acceptors lost what they held. */
function replacing({ nodes, present, absence }: Lead): Candidate[] {
  const listed = [...new Set(present.flatMap(({ configuration }) => acceptorsOf(configuration)))];
  const others = listed.filter((name) => !absence.strangers.includes(name));
  const lost = absence.strangers.map(shortName).join(' and ');
  const rest = nodes.acceptors.filter((name) => !absence.strangers.includes(name));
  return [
    ...objectionsTo(absence, listed).map(({ advice, steps = [] }): Candidate => ({ why: advice, steps: () => steps })),
    ...[others, rest].map((acceptors): Candidate => ({ why: `To go on without ${lost}`, steps: () => [{ verb: 'resize', acceptors }] })),
  ];
}

/**
 * Where the sets differ. The README changes the accept set first, in both directions: only by what may rest outside it is known that it
 * became smaller.
 */
function finishing(lead: Lead, first: Configuration, due: readonly QuorumSet[]): Candidate[] {
  const { prepare, accept } = first;
  const union = all([...new Set([...accept.nodes, ...prepare.nodes])]);
  const isWithin = (small: QuorumSet, large: QuorumSet): boolean => small.nodes.every((node) => large.nodes.includes(node));
  const rests = (first.resting ?? []).some((entry) => !isWithin(entry, identified(accept, first)));
  const isShrinking = isWithin(accept, prepare) && rests;
  const isGrowing = isWithin(prepare, accept) && !rests;
  const what = isShrinking ? 'shrinking' : isGrowing ? 'growing' : 'a change';
  const why = `In the middle of ${what}. Next`;
  const targets = isShrinking ? [accept, union] : isGrowing ? [accept, union] : [union, accept];
  const ways = [...targets, prepare].map((target): Candidate => ({ why, steps: () => wayTo(lead, target) }));
  if (isShrinking || due.length === 0) return ways;
  // As the README has it.
  const rescanned = (): readonly Step[] => {
    const target = targets[0] ?? accept;
    const identities = knownIdentities([first]);
    const resting = (first.resting ?? []).filter((entry) => !due.includes(entry));
    const way = planSteps({ prepare, accept, resting }, { prepare: target, accept: target }, identities) ?? [];
    return way.length === 0 ? [] : [rescanAsInReadme(first, due), ...way.map(({ step }) => step)];
  };
  return [{ why: `In the middle of ${what}. ${dueText(due)}. Next`, steps: rescanned }, ...ways];
}

/** What may rest on quorums that not every accept quorum contains. */
export function dueIn(present: Configuration): QuorumSet[] {
  return (present.resting ?? []).filter((entry) => !holdsQuorum(entry, identified(present.accept, present)));
}

/** Whether each quorum of a set, whichever members it is of, holds a quorum of the other. */
function holdsQuorum(set: QuorumSet, other: QuorumSet): boolean {
  const outside = set.nodes.filter((node) => !other.nodes.includes(node)).length;
  return set.quorum - outside >= other.quorum;
}

/** By the accept set, if a listing by it finds all of these; one by the prepare set does in any case. */
function rescanAsInReadme(present: Configuration, due: readonly QuorumSet[]): Step {
  const { prepare, accept } = present;
  return rescanOf(due.every((entry) => alwaysMeet(identified(accept, present), entry)) ? accept : prepare);
}

function dueText(due: readonly QuorumSet[]): string {
  const text = ({ nodes, quorum }: QuorumSet): string => `${quorum} of ${nodes.map(shortName).join(', ')}`;
  return `What rests on ${due.map(text).join(' and on ')} is not yet on every accept quorum`;
}

/** The steps that make this set both sets. @param most where there are more, one command for all of them */
async function wayTo({ nodes, present }: Lead, set: QuorumSet, most = STEPS_MAX): Promise<readonly Step[]> {
  if (set.nodes.length === 0) return [];
  const whole: Step = { verb: 'resize', acceptors: set.nodes };
  try {
    const steps = (await planFrom(nodes, present, { prepare: set, accept: set })).map(({ step }) => step);
    return steps.length > most ? [whole] : steps;
  } catch (error) {
    if (!(error instanceof ControlError) || error.steps.length === 0) throw error;
    return [...error.steps, whole];
  }
}
