import type { Random } from '../../client/random.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import { sleep, type Time } from '../../src/protocol/time.js';
import type { PossibleSets, SetsSpan } from './availability.js';
import type { ChaosCluster } from './cluster.js';
import { pause } from './pause.js';

export interface MigrationStep {
  /** For the timeline. */
  readonly label: string;
  /** As typed in `node-control/`. */
  readonly command: readonly string[];
  /** What the proposers have when it is done. */
  readonly after: PossibleSets;
}

const one = ['acceptor-1:6379'];
const two = [...one, 'acceptor-2:6379'];
const three = [...two, 'acceptor-3:6379'];
const control = './run-control.sh';
const rescan = [control, 'rescan', two.join(','), '2'];

function sets([accept, acceptQuorum]: [string[], number], [prepare, prepareQuorum]: [string[], number]): PossibleSets {
  const set = (nodes: string[], quorum: number): QuorumSet => ({ nodes, quorum });
  return { prepare: set(prepare, prepareQuorum), accept: set(accept, acceptQuorum) };
}

/** Gives an empty cluster its first acceptor. */
export const FIRST: readonly MigrationStep[] = [
  { label: 'first 1/2', command: [control, 'add-accept', 'all', 'acceptor-1:6379', '1'], after: sets([one, 1], [[], 0]) },
  { label: 'first 2/2', command: [control, 'add-prepare', 'all', 'acceptor-1:6379', '1'], after: sets([one, 1], [one, 1]) },
];

/** From one acceptor to three, word for word the README's. */
export const GROW: readonly MigrationStep[] = [
  { label: 'grow 1/5', command: [control, 'add-accept', 'all', 'acceptor-2:6379', '2'], after: sets([two, 2], [one, 1]) },
  { label: 'grow 2/5 rescan', command: rescan, after: sets([two, 2], [one, 1]) },
  { label: 'grow 3/5', command: [control, 'add-prepare', 'all', 'acceptor-2:6379', '2'], after: sets([two, 2], [two, 2]) },
  { label: 'grow 4/5', command: [control, 'add-accept', 'all', 'acceptor-3:6379', '2'], after: sets([three, 2], [two, 2]) },
  { label: 'grow 5/5', command: [control, 'add-prepare', 'all', 'acceptor-3:6379', '2'], after: sets([three, 2], [three, 2]) },
];

/** From three to one, and the two that left forget all: they will join again. */
export const SHRINK: readonly MigrationStep[] = [
  { label: 'shrink 1/7', command: [control, 'rm-accept', 'all', 'acceptor-3:6379', '2'], after: sets([two, 2], [three, 2]) },
  { label: 'shrink 2/7', command: [control, 'rm-prepare', 'all', 'acceptor-3:6379', '2'], after: sets([two, 2], [two, 2]) },
  { label: 'shrink 3/7 rescan', command: rescan, after: sets([two, 2], [two, 2]) },
  { label: 'shrink 4/7', command: [control, 'rm-accept', 'all', 'acceptor-2:6379', '1'], after: sets([one, 1], [two, 2]) },
  { label: 'shrink 5/7', command: [control, 'rm-prepare', 'all', 'acceptor-2:6379', '1'], after: sets([one, 1], [one, 1]) },
  { label: 'shrink 6/7 wipe', command: ['./wipe-acceptor-2.sh'], after: sets([one, 1], [one, 1]) },
  { label: 'shrink 7/7 wipe', command: ['./wipe-acceptor-3.sh'], after: sets([one, 1], [one, 1]) },
];

/** Refused where an acceptor or a proposer is unreachable: it is not typed again before it is due. */
const COLLECT = [control, 'collect'];
/** Between two collections, where the acceptors stay as they are. */
const COLLECT_MS = 500;

/** Three acceptors are where faults can be borne: most of the time is spent there. */
const AT_THREE_MS = { least: 8_000, most: 20_000 };
const AT_ONE_MS = { least: 1_000, most: 4_000 };
/** Before an operator types a command again that failed. */
const RETRY_PAUSE_MS = 300;

/** The operator, who finds a cluster with one acceptor and types commands one after the other, each until it succeeds. */
export class Migration {
  readonly spans: SetsSpan[] = [];
  /** What stands at the moment, or is being tried. */
  label = '';
  grown = 0;
  shrunk = 0;
  attempts = 0;
  /** Attempts that failed. */
  failures = 0;
  /** Collections that were tried; those that came to their end; and the registers that these removed. */
  readonly collections = { tried: 0, done: 0, removed: 0 };
  /** What the last failed attempt said. */
  complaint = '';
  readonly #cluster: Pick<ChaosCluster, 'control'>;
  readonly #time: Time;
  readonly #random: Random;
  readonly #elapsedMs: () => number;
  readonly #onCollection: () => void;

  /** @param onCollection called before each collection */
  constructor(
    cluster: Pick<ChaosCluster, 'control'>,
    time: Time,
    elapsedMs: () => number,
    random: Random,
    onCollection = (): void => undefined,
  ) {
    this.#cluster = cluster;
    this.#time = time;
    this.#elapsedMs = elapsedMs;
    this.#random = random;
    this.#onCollection = onCollection;
    const [configured] = FIRST.slice(-1);
    if (configured) this.spans.push({ sets: configured.after, fromMs: 0 });
  }

  /** One step, until it is done or `giveUp` is aborted. */
  async take({ label, command, after }: MigrationStep, giveUp: AbortSignal): Promise<void> {
    const before = this.spans.filter((span) => span.untilMs === undefined);
    const next = { sets: after, fromMs: this.#elapsedMs() };
    this.spans.push(next);
    for (;;) {
      this.label = label;
      this.attempts += 1;
      const { code, output } = await this.#cluster.control(command);
      if (code === 0) break;
      this.failures += 1;
      this.complaint = `${command.join(' ')}: ${output}`;
      this.label = `${label}, again`;
      if (giveUp.aborted) throw new Error(`a step could not be finished: ${this.complaint}`);
      await sleep(this.#time, RETRY_PAUSE_MS);
    }
    const nowMs = this.#elapsedMs();
    for (const span of before) this.spans[this.spans.indexOf(span)] = { ...span, untilMs: nowMs };
  }

  /** Grows and shrinks until `stop`, and then finishes the command that it is at. Rejects where that is not done by `giveUp`. */
  async run(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#stay('1 acceptor', AT_ONE_MS, stop);
      if (await this.#takeAll(GROW, stop, giveUp)) this.grown += 1;
      await this.#stay('3 acceptors', AT_THREE_MS, stop);
      if (await this.#takeAll(SHRINK, stop, giveUp)) this.shrunk += 1;
    }
  }

  /** False where `stop` came before the last. */
  async #takeAll(steps: readonly MigrationStep[], stop: AbortSignal, giveUp: AbortSignal): Promise<boolean> {
    for (const step of steps) {
      if (stop.aborted) return false;
      await this.take(step, giveUp);
    }
    return true;
  }

  async #stay(label: string, { least, most }: { least: number; most: number }, stop: AbortSignal): Promise<void> {
    const untilMs = this.#elapsedMs() + least + this.#random() * (most - least);
    while (!stop.aborted && this.#elapsedMs() < untilMs) {
      this.label = label;
      await pause(this.#time, Math.min(COLLECT_MS, untilMs - this.#elapsedMs()), stop);
      await this.#collect(label, stop);
    }
  }

  async #collect(label: string, stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    this.label = `${label}, collect`;
    this.#onCollection();
    this.collections.tried += 1;
    const { code, output } = await this.#cluster.control(COLLECT);
    if (code === 0) this.collections.done += 1;
    this.collections.removed += Number(/^(\d+) registers? of deleted keys removed/m.exec(output)?.[1] ?? 0);
  }
}
