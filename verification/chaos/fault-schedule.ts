import { oneOf, type Random } from '../../client/random.js';
import { ACCEPTORS, PROPOSERS } from '../../local/layout.js';
import { type Fault, type FaultKind, linkBetween } from './fault.js';

/** A fault in an episode, in milliseconds from its begin. */
export interface TimedFault extends Fault {
  readonly afterMs: number;
  readonly lastsMs: number;
}

/** Faults at about the same time. The next episode begins when all of them are mended. */
export interface Episode {
  /** Peace before it, in milliseconds. */
  readonly quietMs: number;
  /** `minority`: every proposer that runs reaches at least two acceptors, and one proposer is left alone. */
  readonly severity: 'minority' | 'majority';
  readonly faults: readonly TimedFault[];
}

/** What a kind of cluster can do to its nodes. */
export interface FaultKinds {
  readonly ofAcceptors: readonly FaultKind[];
  readonly ofProposers: readonly FaultKind[];
  /** Empty where single links cannot be broken. */
  readonly ofLinks: readonly FaultKind[];
}

/** Long enough, now and then, for a command of the control node, which needs both proposers, and in Docker takes two seconds. */
const QUIET_MS = { least: 300, most: 4_000 };
/** Shorter and longer than the time-outs of a proposer, 300 ms for an acceptor, and than that of a client, 1 s. */
const LASTS_MS = { least: 100, most: 4_000 };
/** What one sync takes on a disk that is slow: less and more than clients wait for, and longer than anybody does. */
const SLOW_MS = [1_000, 5_000, 30_000];
/** Between two faults of an episode: some overlap in part only. */
const AFTER_MS_MAX = 1_000;
/** Of all episodes: in these no write can be asked for, but none may be lost either. */
const MAJORITY_SHARE = 0.15;
/** Of those: the power of all nodes is cut, where it can be. */
const BLACKOUT_SHARE = 0.3;

/** Endless; the same for the same stream of random numbers. */
export function* faultSchedule(random: Random, kinds: FaultKinds): Generator<Episode, never> {
  for (;;) {
    const quietMs = between(random, QUIET_MS);
    const severity = random() < MAJORITY_SHARE ? 'majority' : 'minority';
    if (severity === 'majority' && kinds.ofProposers.includes('power') && random() < BLACKOUT_SHARE) {
      yield { quietMs, severity, faults: blackout(random) };
      continue;
    }
    const targets = severity === 'majority' ? majority(random) : minority(random, kinds);
    const faults = targets.map((target, at) => {
      const kind = oneOf(random, kindsOf(target, kinds));
      const afterMs = Math.floor(at * random() * AFTER_MS_MAX);
      return { kind, target, afterMs, lastsMs: kind === 'slow' ? oneOf(random, SLOW_MS) : between(random, LASTS_MS) };
    });
    yield { quietMs, severity, faults };
  }
}

/** At the same time; they come back one after the other. */
function blackout(random: Random): TimedFault[] {
  return [...ACCEPTORS, ...PROPOSERS].map((target) => ({ kind: 'power', target, afterMs: 0, lastsMs: between(random, LASTS_MS) }));
}

function minority(random: Random, { ofLinks }: FaultKinds): string[] {
  const proposer = oneOf(random, PROPOSERS);
  const acceptor = oneOf(random, ACCEPTORS);
  const chance = random();
  if (ofLinks.length > 0 && chance < 0.15) return [linkBetween(proposer, acceptor)];
  // Each proposer then works with another majority.
  if (ofLinks.length > 0 && chance < 0.3) return PROPOSERS.map((name) => linkBetween(name, oneOf(random, ACCEPTORS)));
  if (chance < 0.65) return [acceptor];
  if (chance < 0.8) return [proposer];
  return [acceptor, proposer];
}

function majority(random: Random): string[] {
  const chance = random();
  if (chance < 0.2) return [...ACCEPTORS];
  if (chance < 0.4) return [...PROPOSERS];
  const spared = oneOf(random, ACCEPTORS);
  return ACCEPTORS.filter((acceptor) => acceptor !== spared);
}

function kindsOf(target: string, kinds: FaultKinds): readonly FaultKind[] {
  if (ACCEPTORS.includes(target)) return kinds.ofAcceptors;
  return PROPOSERS.includes(target) ? kinds.ofProposers : kinds.ofLinks;
}

function between(random: Random, { least, most }: { least: number; most: number }): number {
  return Math.floor(least + random() * (most - least));
}
