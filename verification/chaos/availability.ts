import { ACCEPTORS, PROPOSERS } from '../../local/layout.js';
import { containsQuorum, type QuorumSet } from '../../src/protocol/quorum.js';
import { type FaultKind, separates } from './fault.js';

/** Times are in milliseconds since the run began. `untilMs` undefined: still. */
interface Span {
  readonly fromMs: number;
  readonly untilMs?: number;
}

/** From before the fault was ordered until the node answered again. */
export interface FaultSpan extends Span {
  /** `stall`: the machine's own disk, ordered by nobody. */
  readonly kind: FaultKind | 'stall';
  readonly target: string;
}

export interface PossibleSets {
  readonly prepare: QuorumSet;
  readonly accept: QuorumSet;
}

/** While a step runs, or was tried in vain, the sets before it and those after it are both possible. */
export interface SetsSpan extends Span {
  readonly sets: PossibleSets;
}

/**
 * How long after the last fault, or the last change of the sets, writes may still fail. Two ways back run side by side, and neither takes
 * longer. The proposer: an attempt to connect that was lost (300 ms), a pause (200 ms), a round that was begun before (two phases of
 * 300 ms), and the next one. The client: a request that was lost is given up after 1 s, and repeated after 50 ms.
 */
export const SETTLE_MS = 1_500;

/**
 * Whether at least one write must succeed from `fromMs` to `untilMs`: some proposer was undisturbed for that time and for
 * {@link SETTLE_MS} before it, and so were, with their links to it, a prepare quorum and an accept quorum of all sets that it may have
 * had in that time.
 */
export function demandsWrites(fromMs: number, untilMs: number, faults: readonly FaultSpan[], sets: readonly SetsSpan[]): boolean {
  const window = { fromMs: fromMs - SETTLE_MS, untilMs };
  if (window.fromMs < 0) return false;
  const disturbed = faults.filter((fault) => overlap(fault, window)).map(({ target }) => target);
  const possible = sets.filter((span) => overlap(span, window));
  return PROPOSERS.some((proposer) => {
    const reached = ACCEPTORS.filter((acceptor) => !disturbed.some((target) => separates(target, proposer, acceptor)));
    const voters = reached.map((acceptor) => `${acceptor}:6379`);
    return (
      possible.length > 0 && possible.every((span) => containsQuorum(span.sets.prepare, voters) && containsQuorum(span.sets.accept, voters))
    );
  });
}

export function overlap(span: Span, { fromMs, untilMs }: { fromMs: number; untilMs: number }): boolean {
  return span.fromMs < untilMs && (span.untilMs ?? Infinity) > fromMs;
}
