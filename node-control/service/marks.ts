import type { QuorumSet } from '../../src/quorum.js';
import { setText } from '../guard.js';
import type { Mark, NodeState, Snapshot } from './snapshot.js';

/** More than one a second for two minutes happen to nobody. */
const MARKS_MAX = 120;

/** What is seen again within this time is the same step, or the same rescan after a lull. */
const SAME_MS = 2_500;

type Seen = Pick<Snapshot, 'atMs' | 'proposers' | 'acceptors'>;

/** What happened to the cluster, told by what differs from one look to the next. */
export class Marks {
  readonly #oldestMs: () => number;
  #marks: readonly Mark[] = [];
  #rescannedAtMs = -Infinity;
  #count = 0;

  /** @param oldestMs what is older is forgotten */
  constructor(oldestMs: () => number) {
    this.#oldestMs = oldestMs;
  }

  /** All that are remembered. @param isRescanning whether keys are being rescanned */
  after(before: Seen | undefined, now: Seen, isRescanning: boolean): readonly Mark[] {
    const found = [
      ...(before ? [...changes(before, now), ...losses(before, now), ...wipes(before, now)] : []),
      ...(isRescanning && this.#rescannedAtMs <= now.atMs - SAME_MS ? [RESCAN] : []),
    ];
    if (isRescanning) this.#rescannedAtMs = now.atMs;
    // The proposers make a step one after the other, and a look may fall between.
    const isNew = ({ kind, text }: Found): boolean =>
      kind !== 'step' || !this.#marks.some((mark) => mark.text === text && mark.atMs > now.atMs - SAME_MS);
    const marks = [...this.#marks, ...found.filter(isNew).map((mark) => ({ id: ++this.#count, atMs: now.atMs, ...mark }))];
    this.#marks = marks.filter(({ atMs }) => atMs > this.#oldestMs()).slice(-MARKS_MAX);
    return this.#marks;
  }
}

type Found = Omit<Mark, 'id' | 'atMs'>;

const RESCAN: Found = { kind: 'rescan', text: 'rescan', meaning: 'every key is read and written back' };

/** Each change of a set once, however many proposers made it. */
function changes(before: Seen, now: Seen): Found[] {
  const steps = now.proposers.flatMap(({ name, sets }) => {
    const old = before.proposers.find((proposer) => proposer.name === name)?.sets;
    if (!sets || !old) return [];
    return (['accept', 'prepare'] as const).flatMap((phase): Found[] =>
      setText(sets[phase]) === setText(old[phase])
        ? []
        : [{ kind: 'step', text: changeText(phase, sets[phase]), ...meaningOf(phase, old[phase].nodes, sets[phase].nodes) }],
    );
  });
  return [...new Map(steps.map((step) => [step.text, step])).values()];
}

type Phase = 'prepare' | 'accept';

function changeText(phase: Phase, { nodes, quorum }: QuorumSet): string {
  if (nodes.length === 0) return `${phase} nobody`;
  return `${phase} ${quorum} of {${nodes.map((name) => name.replace(/^acceptor-(\d+):6379$/, '$1')).join(', ')}}`;
}

/** For somebody who has never heard of the two sets. Nothing where only the quorum changed. */
function meaningOf(phase: Phase, before: readonly string[], now: readonly string[]): Pick<Found, 'meaning'> {
  const joined = now.filter((name) => !before.includes(name)).map(shortName);
  const left = before.filter((name) => !now.includes(name)).map(shortName);
  const too = before.length === 0 ? '' : ', too';
  const does = phase === 'accept' ? 'writes go to' : 'rounds begin by asking';
  const meanings = [
    ...(joined.length === 0 ? [] : [`${does} ${joined.join(' and ')}${too}`]),
    ...(left.length === 0 ? [] : [`${does} ${left.join(' and ')} no more`]),
  ];
  return meanings.length === 0 ? {} : { meaning: meanings.join('; ') };
}

function shortName(name: string): string {
  return name.replace(/:\d+$/, '');
}

function losses(before: Seen, now: Seen): Found[] {
  const old = new Map<string, NodeState>([...before.proposers, ...before.acceptors].map(({ name, state }) => [name, state]));
  return [...now.proposers, ...now.acceptors].flatMap(({ name, state }): Found[] => {
    const short = shortName(name);
    const lost = lossText(state);
    if (lost === lossText(old.get(name))) return [];
    return [lost === undefined ? { kind: 'return', text: `${short} is back` } : { kind: 'loss', text: `${short} ${lost}` }];
  });
}

function lossText(state: NodeState | undefined): string | undefined {
  if (state === 'gone') return 'lost';
  return state === 'stranger' ? 'has a wrong identity' : undefined;
}

function wipes(before: Seen, now: Seen): Found[] {
  return now.acceptors.flatMap(({ name, keys }): Found[] => {
    const old = before.acceptors.find((acceptor) => acceptor.name === name);
    return keys === 0 && old?.keys ? [{ kind: 'wipe', text: `${shortName(name)} wiped` }] : [];
  });
}
