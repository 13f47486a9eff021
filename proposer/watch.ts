import type { Acceptor, AcceptReply, PrepareReply, Value } from '../src/protocol/acceptor.js';
import { type Ballot, formatBallot } from '../src/protocol/ballot.js';
import type { Configuration } from '../src/protocol/configuration.js';
import type { WatchedKey, WatchedMessage, WatchedRound, WatchedValue } from '../src/http/watched-key.js';
import type { Acceptors } from '../src/store/options.js';
import { decode } from '../src/store/versioned.js';
import { ROUNDS_WATCHED, WATCH_MS, WATCHED_VALUE_MAX_BYTES } from './limits.js';

/**
 * Keeps the last rounds of one key, message by message, as the acceptors answered them. The store asks its acceptors through `acceptors`; as long as no
 * key is watched, that finds the very ones that it would find without.
 */
export class Watch {
  /** What the store asks. */
  readonly acceptors: Acceptors;
  readonly #find: Acceptors['get'];
  readonly #proposer: number;
  readonly #configuration: () => Configuration;
  #recording: Recording | undefined;
  #end: NodeJS.Timeout | undefined;

  /**
   * @param acceptors an object of functions
   * @param configuration the present one, which each round is told with
   */
  constructor(acceptors: Acceptors, proposer: number, configuration: () => Configuration) {
    this.#find = acceptors.get.bind(acceptors);
    this.acceptors = { ...acceptors, get: this.#find };
    this.#proposer = proposer;
    this.#configuration = configuration;
  }

  /** What was seen so far, if a key is watched. Whoever asks has it watched on, for as long as ever. */
  look(): WatchedKey | undefined {
    if (!this.#recording) return undefined;
    this.#end?.refresh();
    const { key, rounds } = this.#recording;
    return { proposer: this.#proposer, key, endsInMs: WATCH_MS, rounds };
  }

  /** Watches this key, and no other from now on. One that is watched already keeps its rounds. */
  start(key: string): void {
    if (this.#recording?.key === key) return;
    this.stop();
    const recording = (this.#recording = new Recording(key, this.#configuration));
    this.acceptors.get = (name, identity) => recording.of(name, this.#find(name, identity));
    this.#end = setTimeout(() => this.stop(), WATCH_MS);
    this.#end.unref();
  }

  /** Forgets the key and its rounds. */
  stop(): void {
    clearTimeout(this.#end);
    this.acceptors.get = this.#find;
    this.#recording = undefined;
  }
}

type Kept<Told> = { -readonly [Part in keyof Told]: Told[Part] };

interface KeptRound extends Kept<Omit<WatchedRound, 'messages'>> {
  readonly messages: Kept<WatchedMessage>[];
}

/** The rounds of one key. */
class Recording {
  readonly key: string;
  readonly #configuration: () => Configuration;
  /** By their ballots, the oldest first. */
  readonly #rounds = new Map<string, KeptRound>();
  readonly #recorded = new WeakMap<Acceptor, Acceptor>();
  /** A clock that all proposers have about in common, and that tells the parts of a millisecond. */
  readonly #epochMs = Date.now() - performance.now();

  constructor(key: string, configuration: () => Configuration) {
    this.key = key;
    this.#configuration = configuration;
  }

  get rounds(): WatchedRound[] {
    return [...this.#rounds.values()];
  }

  of(name: string, acceptor: Acceptor): Acceptor {
    let recorded = this.#recorded.get(acceptor);
    if (!recorded) this.#recorded.set(acceptor, (recorded = recordedAcceptor(name, acceptor, this)));
    return recorded;
  }

  prepare(acceptor: string, ballot: Ballot, call: Promise<PrepareReply>): void {
    this.#note(this.#round(ballot), 'prepare', acceptor, call, (reply) => ({
      ballot: formatBallot(reply.ballot),
      ...(reply.value !== null && { value: shown(reply.value) }),
    }));
  }

  accept(acceptor: string, ballot: Ballot, value: Value, next: Ballot, call: Promise<AcceptReply>): void {
    const round = this.#round(ballot);
    if (round.next === undefined) {
      round.next = formatBallot(next);
      if (value !== null) round.value = shown(value);
    }
    this.#note(round, 'accept', acceptor, call, () => ({}));
  }

  #round(ballot: Ballot): KeptRound {
    const name = formatBallot(ballot);
    let round = this.#rounds.get(name);
    if (!round) {
      const { prepare, accept } = this.#configuration();
      this.#rounds.set(name, (round = { ballot: name, prepare, accept, messages: [] }));
      const [oldest = name] = this.#rounds.keys();
      if (this.#rounds.size > ROUNDS_WATCHED) this.#rounds.delete(oldest);
    }
    return round;
  }

  #note<Reply extends PrepareReply | AcceptReply>(
    { messages }: KeptRound,
    phase: WatchedMessage['phase'],
    acceptor: string,
    call: Promise<Reply>,
    told: (reply: Extract<Reply, { ok: true }>) => Partial<WatchedMessage>,
  ): void {
    const sentAt = performance.now();
    const message: Kept<WatchedMessage> = { phase, acceptor, sentAtMs: this.#epochMs + sentAt };
    messages.push(message);
    const end = (answer: Partial<WatchedMessage>): void => void Object.assign(message, { tookMs: performance.now() - sentAt, ...answer });
    void call.then(
      (reply) =>
        reply.ok
          ? end({ outcome: 'ok', ...told(reply as Extract<Reply, { ok: true }>) })
          : end({ outcome: 'conflict', ballot: formatBallot(reply.conflict) }),
      (error: unknown) => end({ outcome: 'failed', reason: cutOff(error instanceof Error ? error.message : String(error)) }),
    );
  }
}

/** The same acceptor. Reads are not recorded: they carry no ballot, and change nothing. */
function recordedAcceptor(name: string, acceptor: Acceptor, recording: Recording): Acceptor {
  return {
    prepare: (key, ballot, frees) => {
      const call = acceptor.prepare(key, ballot, frees);
      if (key === recording.key) recording.prepare(name, ballot, call);
      return call;
    },
    accept: (key, ballot, value, next, frees) => {
      const call = acceptor.accept(key, ballot, value, next, frees);
      if (key === recording.key) recording.accept(name, ballot, value, next, call);
      return call;
    },
    read: (key) => acceptor.read(key),
  };
}

/** What is no value of ours is shown as it is: whoever watches it must not be why the proposer ends. */
function shown(value: string): WatchedValue {
  try {
    const { ver, val, deleted } = decode(value);
    return { version: ver, text: deleted ? '' : cutOff(JSON.stringify(val)), ...(deleted && { isDeleted: true }) };
  } catch {
    return { version: 0, text: cutOff(value) };
  }
}

/** Not in the middle of a character. */
function cutOff(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= WATCHED_VALUE_MAX_BYTES) return text;
  return `${bytes
    .subarray(0, WATCHED_VALUE_MAX_BYTES)
    .toString()
    .replace(/\uFFFD+$/, '')}…`;
}
