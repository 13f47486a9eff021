import type { CollectionNote } from '../../state/collection-notes.js';
import type { QuorumSet } from '../../../src/protocol/quorum.js';
import type { DatedConfiguration } from '../../../src/http/client.js';
import { entryKey, setText } from '../../safety/guard.js';
import type { StepPhase } from '../../safety/typed-step.js';
import { shortName } from '../../narration/short-name.js';
import type { AcceptorView, Mark, Snapshot } from './snapshot.js';

/** More do not fit into anybody's head. */
const MARKS_MAX = 120;

/** A page that is loaded again has missed nothing. */
const UNSEEN_MIN_SECONDS = 5;

/** What is seen again within this time is the same step, or the same rescan after a lull. */
const SAME_MS = 2_500;

type Seen = Pick<Snapshot, 'atMs' | 'proposers' | 'acceptors'>;

/** The configurations that proposers had lately, for each. */
type Histories = readonly (readonly DatedConfiguration[])[];

/** What happened to the cluster: the steps as the proposers remember them, the rest by what differs from one look to the next. */
export class Marks {
  #marks: readonly Mark[] = [];
  /** Steps that are told already. */
  readonly #told = new Set<string>();
  #rescannedAtMs = -Infinity;
  #count = 0;

  /** No page was open in that time: what was lost and came back is not known. The steps are, by the proposers. */
  noteUnseen(fromMs: number, toMs: number): void {
    const seconds = Math.round((toMs - fromMs) / 1_000);
    if (seconds < UNSEEN_MIN_SECONDS) return;
    const text = `no page was open for ${seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}`;
    const mark: Mark = {
      id: ++this.#count,
      atMs: toMs,
      kind: 'unseen',
      text,
      meaning: 'losses, returns and wipes of that time are not listed',
    };
    this.#marks = [...this.#marks, mark];
  }

  /**
   * All that are remembered.
   * @param isRescanning whether keys are being rescanned
   * @param collections what was collected lately
   */
  after(
    before: Seen | undefined,
    now: Seen,
    histories: Histories,
    isRescanning: boolean,
    collections: readonly CollectionNote[] = [],
  ): readonly Mark[] {
    const steps = [...histories.flatMap(stepsOf), ...collections.map(collectionOf)].filter(({ key }) => {
      const isNew = !this.#told.has(key);
      this.#told.add(key);
      return isNew;
    });
    const seen = before ? [...losses(before, now), ...wipes(before, now)].map((found) => ({ atMs: now.atMs, ...found })) : [];
    const found = [...steps.map(({ atMs, found }) => ({ atMs, ...found })), ...seen].filter(({ kind }) => kind !== 'rescan');
    const rescans = steps.filter(({ found: { kind } }) => kind === 'rescan').map(({ atMs }) => atMs);
    const all = [...found, ...this.#rescans(isRescanning ? [...rescans, now.atMs] : rescans)].sort((a, b) => a.atMs - b.atMs);
    this.#marks = [...this.#marks, ...all.map((mark) => ({ id: ++this.#count, ...mark }))].slice(-MARKS_MAX);
    return this.#marks;
  }

  /** One for all that is seen of the same rescan. */
  #rescans(timesMs: readonly number[]): Omit<Mark, 'id'>[] {
    return [...timesMs]
      .sort((a, b) => a - b)
      .flatMap((atMs) => {
        const isNew = atMs > this.#rescannedAtMs + SAME_MS;
        this.#rescannedAtMs = Math.max(this.#rescannedAtMs, atMs);
        return isNew ? [{ atMs, ...RESCAN }] : [];
      });
  }
}

type Found = Omit<Mark, 'id' | 'atMs'>;

const RESCAN: Found = { kind: 'rescan', text: 'rescan', meaning: 'every key is brought to where writes go now' };

function collectionOf({ atMs, removed, era }: CollectionNote): DatedStep {
  const text = `${removed.toLocaleString('en')} deleted key${removed === 1 ? '' : 's'} collected`;
  return {
    key: `collection ${atMs}`,
    atMs,
    found: { kind: 'collection', text, meaning: `their registers are gone from every acceptor (era ${era})` },
  };
}

interface DatedStep {
  /** The same for all proposers that took it: they did so in the same era. */
  readonly key: string;
  readonly atMs: number;
  readonly found: Found;
}

/** What differs from each configuration of a proposer to the next. A list of where values rest becomes shorter by a rescan alone. */
function stepsOf(history: readonly DatedConfiguration[]): DatedStep[] {
  return history.slice(1).flatMap(({ atMs, configuration: now }, index) => {
    const before = history[index]?.configuration ?? now;
    const changes = (['accept', 'prepare'] as const).flatMap((phase): Found[] =>
      setText(now[phase]) === setText(before[phase])
        ? []
        : [{ kind: 'step', text: changeText(phase, now[phase]), ...meaningOf(phase, before[phase].nodes, now[phase].nodes) }],
    );
    const kept = new Set((now.resting ?? []).map(entryKey));
    const isRescanned = changes.length === 0 && (before.resting ?? []).some((entry) => !kept.has(entryKey(entry)));
    return [...changes, ...(isRescanned ? [RESCAN] : [])].map((found) => ({ key: `${now.era} ${found.text}`, atMs, found }));
  });
}

function changeText(phase: StepPhase, { nodes, quorum }: QuorumSet): string {
  if (nodes.length === 0) return `${phase}: nobody`;
  return nodes.length === 1 ? `${phase}: ${acceptorsText(nodes)} alone` : `${phase}: ${quorum} of ${acceptorsText(nodes)}`;
}

/** As it is said: "acceptors 1 and 2". */
function acceptorsText(nodes: readonly string[]): string {
  const numbers = nodes.flatMap((name) => /^acceptor-(\d+):6379$/.exec(name)?.[1] ?? []);
  if (numbers.length < nodes.length) return inWords(nodes);
  return `acceptor${numbers.length === 1 ? '' : 's'} ${inWords(numbers)}`;
}

function inWords(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

/** For somebody who has never heard of the two sets. Nothing if only the quorum changed. */
function meaningOf(phase: StepPhase, before: readonly string[], now: readonly string[]): Pick<Found, 'meaning'> {
  const joined = now.filter((name) => !before.includes(name)).map(shortName);
  const left = before.filter((name) => !now.includes(name)).map(shortName);
  const too = before.length === 0 ? '' : ', too';
  const [what, does] = phase === 'accept' ? ['writes', 'go to'] : ['rounds', 'begin by asking'];
  const meanings = [
    ...(joined.length === 0 ? [] : [`${what} ${does} ${joined.join(' and ')}${too}`]),
    ...(left.length === 0 ? [] : [`${what} no longer ${does} ${left.join(' and ')}`]),
  ];
  return meanings.length === 0 ? {} : { meaning: meanings.join('; ') };
}

function losses(before: Seen, now: Seen): Found[] {
  const old = new Map<string, LossSeen>([...before.proposers, ...before.acceptors].map((node) => [node.name, node]));
  return [...now.proposers, ...now.acceptors].flatMap((node): Found[] => {
    const short = shortName(node.name);
    const lost = lossText(node);
    if (lost === lossText(old.get(node.name))) return [];
    return [
      lost === undefined
        ? { kind: 'return', text: `${short} is back` }
        : { kind: 'loss', text: `${short}${lost.startsWith(':') ? '' : ' '}${lost}` },
    ];
  });
}

type LossSeen = Pick<AcceptorView, 'state' | 'remark'>;

function lossText({ state, remark }: Partial<LossSeen> = {}): string | undefined {
  if (state === 'gone') return 'lost';
  if (state === 'held') return 'is held';
  if (state === 'hangs') return 'hangs';
  if (state === 'loading') return 'is loading';
  if (state === 'stranger') return remark === undefined ? 'has a wrong identity' : `: ${remark}`;
  return state === 'unfit' ? 'is unfit' : undefined;
}

function wipes(before: Seen, now: Seen): Found[] {
  return now.acceptors.flatMap(({ name, keys, floor }): Found[] => {
    const old = before.acceptors.find((acceptor) => acceptor.name === name);
    // One that was emptied by a collection has its floor still, which a wipe would have taken away.
    return keys === 0 && old?.keys && !floor?.era ? [{ kind: 'wipe', text: `${shortName(name)} wiped` }] : [];
  });
}
