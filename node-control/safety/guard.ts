import { type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';

/** Who the acceptors are, by name. */
export type Identities = Readonly<Record<string, string>>;

/** What a step is about to do to one proposer. Both have the identities of the acceptors that they list. */
export interface Transition {
  readonly name: string;
  readonly before: Configuration;
  readonly after: Configuration;
  readonly changed: boolean;
}

/** Why a step is not safe. A rescan may help against `owed`, another order or another quorum against `miss`. */
export interface Danger {
  readonly kind: 'miss' | 'owed';
  readonly message: string;
}

/**
 * Whether every quorum of `a` shares an acceptor with every quorum of `b`: even where each takes what it can from outside the other, more
 * places are left than both have acceptors in common.
 */
export function alwaysMeet(a: QuorumSet, b: QuorumSet): boolean {
  let shared = 0;
  for (const node of a.nodes) if (b.nodes.includes(node)) shared += 1;
  const insideA = Math.max(0, a.quorum - (a.nodes.length - shared));
  const insideB = Math.max(0, b.quorum - (b.nodes.length - shared));
  return insideA + insideB > shared;
}

/** A proposer's sets while a step runs: those of before or, where it changes them, of after. */
interface Running {
  readonly name: string;
  readonly sets: Configuration;
  readonly isNew: boolean;
}

/** A prepare quorum, and an accept quorum that it could miss: one in use, or one of an earlier step that a value may rest on. */
type Miss = { readonly asks: Running; readonly prepare: QuorumSet; readonly accept: QuorumSet } & (
  | { readonly kind: 'miss'; readonly writes: Running }
  | { readonly kind: 'owed'; readonly knows: string }
);

/**
 * Why this step could lose a write (paper, section 2.3); nothing where it cannot. A proposer with an empty set runs no round and counts
 * for nothing.
 *
 * - While it runs, some proposers are before it and some behind it: all of their prepare quorums must meet all of their accept quorums.
 * - After it, values may still rest on accept quorums of earlier steps: the new prepare quorums must meet these, too.
 */
export function dangersOf(transitions: readonly Transition[]): Danger[] {
  const dangers = new Map<string, Danger>();
  for (const miss of missesOf(transitions)) {
    const pair = `${miss.kind} ${entryKey(miss.prepare)} ${entryKey(miss.accept)}`;
    if (!dangers.has(pair)) dangers.set(pair, { kind: miss.kind, message: messageOf(miss) });
  }
  return [...dangers.values()];
}

/** Whether a step has none of these dangers; a search for a way asks for very many steps, and reads no message. */
export function isSafe(transitions: readonly Transition[]): boolean {
  return missesOf(transitions).next().done === true;
}

/** One by one: who wants to know whether there are any looks no further than the first. */
function* missesOf(transitions: readonly Transition[]): Generator<Miss, undefined> {
  const running: Running[] = [];
  for (const { name, before, after, changed } of transitions) {
    if (isConfigured(before)) running.push({ name, sets: before, isNew: false });
    if (changed && isConfigured(after)) running.push({ name, sets: after, isNew: true });
  }
  for (const asks of running) {
    const prepare = identified(asks.sets.prepare, asks.sets);
    // Another proposer first: that is what a reader looks for.
    for (const writes of [...running.filter(({ name }) => name !== asks.name), ...running]) {
      if (!asks.isNew && !writes.isNew) continue;
      const accept = identified(writes.sets.accept, writes.sets);
      if (!alwaysMeet(prepare, accept)) yield { kind: 'miss', asks, prepare, accept, writes };
    }
    if (!asks.isNew) continue;
    for (const { name, before } of transitions) {
      for (const accept of before.resting ?? []) {
        if (!alwaysMeet(prepare, accept)) yield { kind: 'owed', asks, prepare, accept, knows: name };
      }
    }
  }
}

function messageOf(miss: Miss): string {
  const question = `${miss.asks.name} would prepare on ${setText(miss.asks.sets.prepare)}`;
  if (miss.kind === 'owed') {
    const rest = `may rest on ${setText(miss.accept)} since an earlier step: a rescan must come first`;
    return `${question}, which could miss a value that, by what ${miss.knows} knows, ${rest}`;
  }
  const { name, sets } = miss.writes;
  return `${question} while ${name} accepts on ${setText(sets.accept)}: these quorums could miss each other, and a write be lost`;
}

/**
 * The accept sets with a quorum that a value may rest on once this step has begun: those of before, and all that a proposer can use from
 * then on. Each once.
 */
export function restingAfter(transitions: readonly Transition[]): QuorumSet[] {
  const entries = new Map<string, QuorumSet>();
  const add = (entry: QuorumSet): void => void entries.set(entryKey(entry), entry);
  for (const { before, after } of transitions) {
    before.resting?.forEach(add);
    if (isConfigured(before)) add(identified(before.accept, before));
    if (isConfigured(after)) add(identified(after.accept, after));
  }
  return [...entries.values()];
}

/**
 * What is left of the list after a rescan of every key that any `required` of these acceptors hold: the accept sets in use, and those with
 * a quorum that the listing could have missed.
 *
 * @param listed identities
 * @param present the configurations of all proposers, the same from before the first key was listed to after the last was done
 */
export function restingAfterRescan(listed: QuorumSet, present: readonly Configuration[]): { kept: QuorumSet[]; unlisted: QuorumSet[] } {
  const inUse = new Set(present.filter(isConfigured).map((sets) => entryKey(identified(sets.accept, sets))));
  const entries = [...new Map(present.flatMap(({ resting }) => resting ?? []).map((entry) => [entryKey(entry), entry])).values()];
  const unlisted = entries.filter((entry) => !inUse.has(entryKey(entry)) && !alwaysMeet(listed, entry));
  return { kept: entries.filter((entry) => inUse.has(entryKey(entry)) || unlisted.includes(entry)), unlisted };
}

/**
 * The accept sets on which a value may rest with fewer copies left, once these acceptors are gone, than a write has now. Nothing is lost by that
 * yet, but one more disk may be enough then. A rescan takes them off the list.
 *
 * @param gone identities
 */
export function thinnedBy(gone: readonly string[], { accept, resting = [] }: Configuration): QuorumSet[] {
  return resting.filter(({ nodes, quorum }) => {
    const fewer = nodes.filter((node) => gone.includes(node)).length;
    return fewer > 0 && quorum - fewer < accept.quorum;
  });
}

/** The accept sets on which a value may rest that a prepare quorum of this configuration may miss. No step leads there but one that is forced. */
export function missedBy(configuration: Configuration): QuorumSet[] {
  if (!isConfigured(configuration)) return [];
  const prepare = identified(configuration.prepare, configuration);
  return (configuration.resting ?? []).filter((entry) => !alwaysMeet(prepare, entry));
}

/** A set with identities in place of names. The last answer is remembered: a search for a way asks for few sets very often. */
export function identified(set: QuorumSet, { identities }: Pick<Configuration, 'identities'>): QuorumSet {
  const last = identifiedSets.get(set);
  if (last && last.by === identities) return last.answer;
  const answer = { nodes: set.nodes.map((node) => identities?.[node] ?? node), quorum: set.quorum };
  identifiedSets.set(set, { by: identities, answer });
  return answer;
}

const identifiedSets = new WeakMap<QuorumSet, { readonly by: Identities | undefined; readonly answer: QuorumSet }>();

export function setText({ nodes, quorum }: QuorumSet): string {
  return nodes.length === 0 ? 'nobody' : `${quorum} of ${nodes.join(' ')}`;
}

/** The same for the same set, in whatever order. Remembered for the same reason. */
export function entryKey(set: QuorumSet): string {
  let key = keys.get(set);
  if (key === undefined) keys.set(set, (key = `${set.quorum} ${[...set.nodes].sort().join(' ')}`));
  return key;
}

const keys = new WeakMap<QuorumSet, string>();

/** The same for both sets. */
export function setsKey({ prepare, accept }: Pick<Configuration, 'prepare' | 'accept'>): string {
  return `${entryKey(prepare)}, ${entryKey(accept)}`;
}
