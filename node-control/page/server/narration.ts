import { acceptorsOf, type Configuration, isConfigured } from '../../../src/protocol/configuration.js';
import { containsQuorum, type QuorumSet } from '../../../src/protocol/quorum.js';
import { alwaysMeet, entryKey, identified, setsKey } from '../../safety/guard.js';
import { knownIdentities } from '../../safety/identities.js';
import { planSteps, rescanOf } from '../../safety/plan.js';
import { type StepPhase, type Step, typed } from '../../safety/typed-step.js';
import { shortName } from './short-name.js';
import type { Narration } from './snapshot.js';

/** What a proposer told. */
export interface Told {
  readonly name: string;
  readonly configuration: Configuration;
}

/** A narration before its steps are typed. */
type Story = Omit<Narration, 'commands'> & { readonly steps: readonly Step[] };

/**
 * In words: what the present configurations mean, and what is owed next.
 * @param told by the proposers that answer
 * @param acceptors all that are known
 * @param lost those that do not answer, are strangers, or are unfit
 */
export function narrate(told: readonly Told[], acceptors: readonly string[], lost: readonly string[]): Narration {
  const { steps, ...story } = storyOf(told, acceptors, lost);
  return { ...story, commands: steps.map(typed) };
}

function storyOf(told: readonly Told[], acceptors: readonly string[], lost: readonly string[]): Story {
  const [first] = told.map(({ configuration }) => configuration);
  if (!first) return { now: 'No proposer answers: nothing is served until one is started.', steps: [] };
  if (new Set(told.map(({ configuration }) => setsKey(configuration))).size > 1) return differing(told);
  if (!isConfigured(first)) return beginning(first);
  const { prepare, accept } = first;
  const now = `${capital(sizeText('prepare', prepare))}, ${sizeText('accept', accept)}: ${serviceText(first, lost)}`;
  const next = owed(first);
  if (next.next !== undefined || lossesBorne(first, acceptorsOf(first)) > 0 || acceptors.length < 3) return { now, ...next };
  return {
    now,
    next: 'To bear the loss of any one acceptor, grow to three, as the README does or in one command',
    steps: [{ verb: 'resize', acceptors }],
  };
}

function differing(told: readonly Told[]): Story {
  const idle = told.filter(({ configuration }) => !isConfigured(configuration)).map(({ name }) => name);
  const [serving] = told.filter(({ configuration }) => isConfigured(configuration)).map(({ name }) => name);
  const start = 'The proposers differ: one is before a step, the other behind it.';
  const next = 'A step under way ends in a moment. One that was interrupted has to be run again, for all';
  if (idle.length === 0) return { now: `${start} All serve, since their quorums meet.`, next, steps: [] };
  if (serving === undefined) return { now: `${start} None has both sets yet, so every operation is refused.`, next, steps: [] };
  return {
    now: `The proposers differ: ${serving} serves, but every operation through ${idle.join(' and ')}, which lacks a set, is refused.`,
    next: `${next}. A proposer that lost its volume gets the sets of another one`,
    steps: idle.map((name) => ({ verb: 'copy', from: serving, proposers: name })),
  };
}

function beginning({ prepare, accept }: Configuration): Story {
  const add = (phase: StepPhase, acceptor: string): Step => ({ verb: 'add', phase, proposers: 'all', acceptor, quorum: 1 });
  const steps = [add('accept', 'acceptor-1:6379'), add('prepare', 'acceptor-1:6379')];
  if (prepare.nodes.length === 0 && accept.nodes.length === 0) {
    return { now: 'No proposer has acceptors yet, so every operation is refused.', next: 'To begin with one acceptor', steps };
  }
  const [missing, present] = prepare.nodes.length === 0 ? (['prepare', accept] as const) : (['accept', prepare] as const);
  return {
    now: `The ${missing} set is still empty, so every operation is refused.`,
    next: `Owed next: a ${missing} set`,
    steps: [add(missing, present.nodes[0] ?? '')],
  };
}

/**
 * The way on. Steps change the accept set first, in both directions, so that is where sets that differ lead; the rescan stands where the
 * README has it.
 */
function owed(present: Configuration): Pick<Story, 'next' | 'steps'> {
  const { prepare, accept, resting = [] } = present;
  const due = resting.filter((entry) => !holdsQuorum(entry, identified(accept, present)));
  // As the README has it, if a listing by the accept set finds all of these; one by the prepare set does in any case.
  const listed = due.every((entry) => alwaysMeet(identified(accept, present), entry)) ? accept : prepare;
  const rescan = due.length === 0 ? [] : [rescanOf(listed)];
  const why = due.length === 0 ? '' : `What rests on ${due.map(restingText).join(' and on ')} is not yet on every accept quorum`;
  // Quorums of different sizes over the same acceptors are a choice.
  if (entryKey({ ...prepare, quorum: accept.quorum }) === entryKey(accept)) {
    return due.length === 0 ? { steps: [] } : { next: `${why}. Before the next shrinking, a rescan is owed`, steps: rescan };
  }
  const way = planSteps({ prepare, accept, resting }, { prepare: accept, accept }, knownIdentities([present])) ?? [];
  const steps = way.map(({ step }) => step).filter(({ verb }) => verb !== 'rescan');
  const isGrowing = accept.nodes.length > prepare.nodes.length;
  if (!isGrowing) return { next: 'In the middle of shrinking. Owed next', steps: [...steps, ...rescan] };
  return { next: `In the middle of growing. ${why === '' ? '' : `${why}. `}Owed next`, steps: [...rescan, ...steps] };
}

/** Whether each quorum of a set, whichever members it is of, holds a quorum of the other. */
function holdsQuorum(set: QuorumSet, other: QuorumSet): boolean {
  const outside = set.nodes.filter((node) => !other.nodes.includes(node)).length;
  return set.quorum - outside >= other.quorum;
}

function serviceText(configuration: Configuration, lost: readonly string[]): string {
  const all = acceptorsOf(configuration);
  const missing = all.filter((name) => lost.includes(name));
  const left = all.filter((name) => !lost.includes(name));
  const spare = lossesBorne(configuration, left);
  const without = missing.length === 0 ? '' : ` without ${missing.map(shortName).join(' and ')}`;
  if (spare < 0) return `does not serve${without}: no quorum answers.`;
  if (spare === 0) {
    if (left.length === 1) return `serves${without} while ${shortName(left[0] ?? '')} does.`;
    const critical = left.filter(
      (name) =>
        !serves(
          configuration,
          left.filter((other) => other !== name),
        ),
    );
    return `serves${without}, and stops if ${critical.map(shortName).join(' or ')} is lost.`;
  }
  const more = without === '' ? '' : ' more';
  return `serves on${without} with any ${spare === 1 ? `one${more} acceptor` : `${spare}${more} acceptors`} lost.`;
}

/** How many of these acceptors may be lost, whichever they are. -1: not even without a loss is there a quorum. */
function lossesBorne({ prepare, accept }: Configuration, left: readonly string[]): number {
  const spare = ({ nodes, quorum }: QuorumSet): number => nodes.filter((name) => left.includes(name)).length - quorum;
  return Math.max(-1, Math.min(spare(prepare), spare(accept)));
}

function serves({ prepare, accept }: Configuration, left: readonly string[]): boolean {
  return containsQuorum(prepare, left) && containsQuorum(accept, left);
}

function sizeText(phase: StepPhase, { nodes, quorum }: QuorumSet): string {
  return `${phase} ${quorum} of ${nodes.length}`;
}

/** `2 of acceptor-1, acceptor-2`. */
function restingText({ nodes, quorum }: QuorumSet): string {
  return `${quorum} of ${nodes.map(shortName).join(', ')}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
