import { type Configuration, EMPTY_CONFIGURATION, isConfigured } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import { entryKey, type Identities, identified, isSafe, restingAfter, restingAfterRescan } from './guard.js';
import type { Step } from './typed-step.js';

/** What all proposers have alike. */
export type Sets = Pick<Configuration, 'prepare' | 'accept'>;

/** Where the way begins: the sets, and the accept sets of earlier steps that values may still rest on. */
export type Start = Sets & { readonly resting: readonly QuorumSet[] };

export interface PlannedStep {
  readonly step: Step;
  readonly after: Start;
}

/** From here on the search gives up: no sensible way is this hard to find. */
const STATES_MAX = 20_000;

/**
 * The shortest way for all proposers from some sets to others in which every step is safe, with rescans if they are owed: a breadth-first
 * search through the steps that the guard lets pass. Never leaves the proposers without acceptors on the way.
 *
 * @param identities of every acceptor in either, by name
 * @param statesMax after so many the search gives up
 * @param holding acceptors outside the sets that hold something: they may join only while no proposer serves
 * @returns undefined if there is none
 */
export function planSteps(
  from: Start,
  to: Sets,
  identities: Identities,
  statesMax = STATES_MAX,
  holding: readonly string[] = [],
): PlannedStep[] | undefined {
  const known = { identities, holding };
  // Majorities keep the cluster available on the way; other quorums where it does not go without.
  const way = search(from, to, known, majorities, statesMax) ?? search(from, to, known, allQuorums, statesMax);
  if (way || isConfigured({ era: 0, ...from }) || isReached(from, EMPTY_CONFIGURATION)) return way;
  // Sets that were begun by half may stand in the way; nobody uses them.
  const { prepare, accept } = EMPTY_CONFIGURATION;
  const start = { prepare, accept, resting: from.resting };
  const rest = planSteps(start, to, identities, statesMax, holding);
  return rest && [{ step: { verb: 'wipe', proposers: 'all' }, after: start }, ...rest];
}

/** A majority of so many acceptors. */
export function majority(count: number): number {
  return count === 0 ? 0 : Math.floor(count / 2) + 1;
}

/** What is known of the acceptors. */
interface Known {
  readonly identities: Identities;
  readonly holding: readonly string[];
}

type Quorums = (count: number) => readonly number[];
const majorities: Quorums = (count) => [majority(count)];
const allQuorums: Quorums = (count) => (count === 0 ? [0] : Array.from({ length: count }, (_, index) => index + 1));

function search(from: Start, to: Sets, known: Known, quorums: Quorums, statesMax: number): PlannedStep[] | undefined {
  const neighbours = rememberedNeighbours(quorums);
  const seen = new Set([keyOf(from)]);
  let ways: { readonly state: Start; readonly steps: readonly PlannedStep[] }[] = [{ state: from, steps: [] }];
  while (ways.length > 0 && seen.size < statesMax) {
    const longer: typeof ways = [];
    for (const { state, steps } of ways) {
      if (isReached(state, to)) return [...steps];
      for (const { step, after, isSafe } of [...rescanFrom(state, known.identities), ...changesFrom(state, to, known, neighbours)]) {
        const key = keyOf(after);
        // Most of what is found has been found before: whether the step there is safe then makes no difference.
        if (seen.has(key) || !isSafe()) continue;
        seen.add(key);
        longer.push({ state: after, steps: [...steps, { step, after }] });
      }
    }
    ways = longer;
  }
  return undefined;
}

/** A step that has not been judged yet. */
interface Candidate extends PlannedStep {
  readonly isSafe: () => boolean;
}

function changesFrom(state: Start, to: Sets, { identities, holding }: Known, neighbours: Neighbours): Candidate[] {
  const candidates: Candidate[] = [];
  const before = asConfiguration(state, identities);
  const isServing = isConfigured(before);
  for (const phase of ['accept', 'prepare'] as const) {
    for (const { verb, acceptor, set } of neighbours(state[phase], state[phase === 'accept' ? 'prepare' : 'accept'], to[phase])) {
      const isListed = state.prepare.nodes.includes(acceptor) || state.accept.nodes.includes(acceptor);
      if (verb === 'add' && !isListed && isServing && holding.includes(acceptor)) continue;
      const after = { ...before, [phase]: set };
      if (isServing && !isConfigured(after)) continue;
      const transitions = [{ name: '', before, after, changed: true }];
      candidates.push({
        step: { verb, phase, proposers: 'all', acceptor, quorum: set.quorum },
        after: { prepare: after.prepare, accept: after.accept, resting: restingAfter(transitions) },
        isSafe: () => isSafe(transitions),
      });
    }
  }
  return candidates;
}

/** What one command makes of a set. */
interface Neighbour {
  readonly verb: 'add' | 'rm';
  readonly acceptor: string;
  readonly set: QuorumSet;
}

type Neighbours = (set: QuorumSet, beside: QuorumSet, to: QuorumSet) => readonly Neighbour[];

/** Many moments of a search have the same sets, and differ in where values may rest: what the guard remembers of a set serves for all of them. */
function rememberedNeighbours(quorums: Quorums): Neighbours {
  const sets = new Map<string, QuorumSet>();
  const answers = new Map<string, readonly Neighbour[]>();
  const textOf = ({ nodes, quorum }: QuorumSet): string => `${quorum} ${nodes.join(' ')}`;
  const same = (set: QuorumSet): QuorumSet => {
    const text = textOf(set);
    const known = sets.get(text) ?? set;
    sets.set(text, known);
    return known;
  };
  return (set, beside, to) => {
    const question = [set, beside, to].map(textOf).join(', ');
    const answer = answers.get(question) ?? neighboursOf(set, beside, to, quorums).map((one) => ({ ...one, set: same(one.set) }));
    answers.set(question, answer);
    return answer;
  };
}

/**
 * The sets that one command makes of a set, towards another: with the next of its acceptors, another quorum, or without one that it does not have.
 * @param beside of the other phase: what was begun there and has to be given up may have to be finished first
 */
function neighboursOf(set: QuorumSet, beside: QuorumSet, to: QuorumSet, quorums: Quorums): Neighbour[] {
  const missing = [to, beside].flatMap(({ nodes }) => nodes.find((node) => !set.nodes.includes(node)) ?? []);
  const spare = set.nodes.findLast((node) => !to.nodes.includes(node));
  const last = set.nodes.at(-1);
  const made = (verb: 'add' | 'rm', acceptor: string, nodes: readonly string[]): Neighbour[] => {
    const possible = [...(isSameNodes(nodes, to.nodes) ? [to.quorum] : []), ...quorums(nodes.length)];
    return [...new Set(possible)].map((quorum) => ({ verb, acceptor, set: { nodes, quorum } }));
  };
  const without = (acceptor: string): Neighbour[] =>
    made(
      'rm',
      acceptor,
      set.nodes.filter((node) => node !== acceptor),
    );
  return [
    ...[...new Set(missing)].flatMap((node) => made('add', node, [...set.nodes, node])),
    ...(last === undefined ? [] : made('add', last, set.nodes)),
    ...(spare === undefined ? [] : without(spare)),
  ];
}

/** By the keys of a prepare quorum, which meets every accept quorum that a value may rest on. */
function rescanFrom(state: Start, identities: Identities): Candidate[] {
  const present = asConfiguration(state, identities);
  if (!isConfigured(present)) return [];
  const { kept } = restingAfterRescan(identified(state.prepare, present), [present]);
  return [{ step: rescanOf(state.prepare), after: { ...state, resting: kept }, isSafe: () => true }];
}

/** The rescan of the keys that a quorum of this set holds. */
export function rescanOf({ nodes, quorum }: QuorumSet): Step {
  return { verb: 'rescan', acceptors: nodes, required: quorum };
}

/** The rescan that takes an entry of the list off it, also where no prepare set in use is sure to meet it, as after a step that was forced. */
export function rescanOfEntry({ nodes }: QuorumSet): Step {
  const names = nodes.map((identity) => identity.replace(/#.*/, ''));
  return { verb: 'rescan', acceptors: names, required: names.length };
}

function asConfiguration(state: Start, identities: Identities): Configuration {
  return { era: 0, ...state, identities };
}

function isReached(state: Sets, to: Sets): boolean {
  return isSame(state.prepare, to.prepare) && isSame(state.accept, to.accept);
}

function isSame(a: QuorumSet, b: QuorumSet): boolean {
  return a.quorum === b.quorum && isSameNodes(a.nodes, b.nodes);
}

function isSameNodes(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}

function keyOf({ prepare, accept, resting }: Start): string {
  return [entryKey(prepare), entryKey(accept), ...resting.map(entryKey).sort()].join(', ');
}
