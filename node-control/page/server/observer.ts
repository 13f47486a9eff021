import { EMPTY_CONFIGURATION } from '../../../src/protocol/configuration.js';
import type { FunnelLine } from '../../../src/http/funnel-stream.js';
import { wentBack } from '../../../src/store/greeting.js';
import { sleep, type Time } from '../../../src/protocol/time.js';
import type { CollectionFile } from '../../state/collection-notes.js';
import type { Identities } from '../../safety/guard.js';
import { knownIdentities } from '../../safety/identities.js';
import { adminName } from '../../nodes/connections.js';
import { isListening } from '../../nodes/listening.js';
import type { NodeSettings } from '../../nodes/settings.js';
import type { NamedConfiguration } from '../../narration/now.js';
import { Marks } from './marks.js';
import { Narrator } from './narrator.js';
import { isSilent, NodeProbe } from './node-probe.js';
import { type AcceptorAnswer, askAcceptor, askProposer, type ProposerAnswer } from './questions.js';
import { ratesBetween, rescansBetween } from './rates.js';
import type { AcceptorView, FunnelSecond, ProposerView, Snapshot } from './snapshot.js';

const SECOND_MS = 1_000;
/** What the page's chart shows. */
export const HISTORY_SECONDS = 120;
/** How long a snapshot waits for the nodes: one that needs longer is shown as slow. */
const ANSWERS_MS = 300;

const LOADING = 'it still reads its file, and takes part as soon as it has read all of it';

interface Watched<Answer> {
  readonly name: string;
  readonly probe: NodeProbe<Answer>;
  /** The answer before the last. */
  before?: Answer | undefined;
}

interface WatchedAcceptor extends Watched<AcceptorAnswer> {
  /** Why it does not serve, and what to do, if that is known. */
  held?: readonly string[] | undefined;
}

/** Looks at all nodes once a second, for all pages together, and at none while no page is open. Keeps two minutes. */
export class Observer {
  readonly #time: Time;
  readonly #proposers: Watched<ProposerAnswer>[];
  readonly #acceptors: WatchedAcceptor[];
  readonly #heldNotes: NodeSettings['heldNotes'];
  readonly #followClient: (onLine: (line: FunnelLine) => void) => Promise<void>;
  readonly #collections: Pick<CollectionFile, 'load'>;
  readonly #marks: Marks;
  readonly #narrator: Narrator;
  readonly #watchers = new Set<(snapshot: Snapshot) => void>();
  #history: FunnelSecond[] = [];
  #fresh: FunnelSecond[] = [];
  #last: Snapshot | undefined;
  #identities: Identities = {};
  #isRunning = false;
  /** Whether a client that is followed has said anything yet. */
  #isClientRunning = false;

  /**
   * @param followClient calls back for each line of a running client, and resolves or rejects when there is none, or no more
   * @param collections what was collected
   * @param narrator tells what that means
   * @param listens whether anybody takes connections at an address
   */
  constructor(
    nodes: NodeSettings,
    time: Time,
    followClient: (onLine: (line: FunnelLine) => void) => Promise<void>,
    collections: Pick<CollectionFile, 'load'> = { load: () => [] },
    narrator = new Narrator(nodes, time),
    listens = isListening,
  ) {
    this.#time = time;
    this.#collections = collections;
    this.#heldNotes = nodes.heldNotes;
    this.#followClient = followClient;
    this.#marks = new Marks();
    this.#narrator = narrator;
    const watched = <Answer>(name: string, ask: () => Promise<Answer>, at: string): Watched<Answer> => ({
      name,
      probe: new NodeProbe(ask, time, () => listens(nodes.addresses(at))),
    });
    this.#proposers = nodes.proposers.map((name) => watched(name, askProposer(nodes.connections, name), adminName(name)));
    this.#acceptors = nodes.acceptors.map((name) => watched(name, askAcceptor(nodes.connections, name), name));
  }

  /** Calls back with each snapshot until the returned function is called; the first time with the history. */
  watch(show: (snapshot: Snapshot) => void): () => void {
    this.#watchers.add(show);
    if (!this.#isRunning) void this.#run();
    else if (this.#last) show({ ...this.#last, isFirst: true, funnel: this.#history });
    return () => this.#watchers.delete(show);
  }

  /** What the proposers last told. */
  get told(): NamedConfiguration[] {
    return this.#proposers.flatMap(({ name, probe: { answer } }) => (answer ? [{ name, configuration: answer.configuration }] : []));
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // What happened while nobody looked did not happen in this second.
    if (this.#last) this.#marks.noteUnseen(this.#last.atMs, Date.now());
    this.#last = undefined;
    for (const node of [...this.#proposers, ...this.#acceptors]) node.before = node.probe.answer = undefined;
    while (this.#watchers.size > 0) {
      const nextMs = this.#time.nowMs() + SECOND_MS;
      const answers = Promise.all([
        ...this.#proposers.map((node) => this.#poll(node)),
        ...this.#acceptors.map((node) => this.#pollAcceptor(node)),
      ]);
      await Promise.race([answers, sleep(this.#time, ANSWERS_MS)]);
      this.#publish();
      await sleep(this.#time, Math.max(0, nextMs - this.#time.nowMs()));
    }
    this.#isRunning = false;
  }

  async #poll<Answer>(node: Watched<Answer>): Promise<void> {
    const before = node.probe.answer;
    await node.probe.poll();
    if (node.probe.answer !== before) node.before = before;
  }

  async #pollAcceptor(node: WatchedAcceptor): Promise<void> {
    await this.#poll(node);
    node.held = node.probe.state === 'gone' ? await this.#heldNotes?.(node.name) : undefined;
  }

  #publish(): void {
    const atMs = Date.now();
    const answers = this.#proposers.flatMap(({ probe }) => probe.answer ?? []);
    const configurations = answers.map(({ configuration }) => configuration);
    const identities = knownIdentities(configurations);
    const acceptors = this.#acceptors.map(({ name, probe: { state, answer }, held }): AcceptorView => {
      if (isSilent(state) && held) return { name, state: 'held', remark: held.join(' ') };
      if (state === 'loading') return { name, state, remark: LOADING };
      if (isSilent(state) || !answer) return { name, state, keys: undefined };
      const { keys, floor, identity, flaws, memory } = answer;
      // One that joins may have answered before it was given its identity, and be listed by now: until the next look.
      const expected = identities[name] === this.#identities[name] ? identities[name] : undefined;
      if (expected !== undefined && identity !== expected)
        return { name, state: 'stranger', keys, floor, remark: wentBack(identity)?.text };
      return flaws.length === 0
        ? { name, state, keys, floor, remark: memory }
        : { name, state: 'unfit', keys, floor, remark: flaws.join('; ') };
    });
    const proposers = this.#proposers.map(({ name, probe: { state, answer }, before }): ProposerView => {
      const rates = before && answer && !isSilent(state) ? ratesBetween(before, answer) : undefined;
      const { era, prepare, accept } = answer?.configuration ?? EMPTY_CONFIGURATION;
      return { name, state, sets: answer && { era, prepare, accept }, rates };
    });
    const present = this.#proposers.flatMap(({ name, probe: { state, answer } }) =>
      !isSilent(state) && answer ? [{ name, configuration: answer.configuration }] : [],
    );
    const isRescanning = this.#proposers.some(({ probe, before }) => before && probe.answer && rescansBetween(before, probe.answer) > 0);
    const snapshot: Snapshot = {
      ...{ atMs, proposers, acceptors },
      isClientRunning: this.#isClientRunning,
      narration: this.#narrator.narrate(present, proposers, acceptors),
      marks: this.#marks.after(
        this.#last,
        { atMs, proposers, acceptors },
        answers.map(({ history }) => history),
        isRescanning,
        this.#collections.load(),
      ),
      funnel: this.#fresh,
    };
    this.#history = this.#withFresh(atMs);
    // A page that is just being opened gets all of it.
    for (const show of this.#watchers) show(this.#last ? snapshot : { ...snapshot, isFirst: true, funnel: this.#history });
    this.#fresh = [];
    this.#identities = identities;
    this.#last = snapshot;
  }

  /** Follows whatever client runs, also while no page is open: a line a second, and whoever opens one sees what was before. Never ends. */
  async followClients(): Promise<void> {
    for (;;) {
      try {
        await this.#followClient((line) => this.#add(line));
      } catch {
        // None runs now.
      }
      this.#isClientRunning = false;
      await sleep(this.#time, SECOND_MS);
    }
  }

  #add({ columns }: FunnelLine): void {
    this.#isClientRunning = true;
    const sum = (field: keyof (typeof columns)[number]): number => columns.reduce((total, column) => total + column[field], 0);
    const atMs = Date.now();
    this.#fresh.push({ atMs, attempts: sum('readAttempts'), reads: sum('reads'), writes: sum('writes'), errors: sum('networkErrors') });
    if (this.#isRunning) return;
    // Nobody looks who would take it away.
    this.#history = this.#withFresh(atMs);
    this.#fresh = [];
  }

  /** A clock that was put back leaves seconds that are still to come. */
  #withFresh(nowMs: number): FunnelSecond[] {
    return [...this.#history, ...this.#fresh].filter(({ atMs }) => atMs > nowMs - HISTORY_SECONDS * SECOND_MS && atMs <= nowMs);
  }
}
