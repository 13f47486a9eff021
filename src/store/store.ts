import type { Acceptor } from '../protocol/acceptor.js';
import type { Configuration } from '../protocol/configuration.js';
import { type Asking, ask as askAll } from '../protocol/ask.js';
import { Gate } from '../protocol/gate.js';
import { Proposer } from '../protocol/proposer.js';
import { hedge } from '../hedging/hedge.js';
import { QuorumReader } from '../reads/quorum-read.js';
import { OldState, StoreClosed } from './errors.js';
import { beatsInMemory } from './greeting.js';
import { assertKey } from './key.js';
import { KeyQueue } from './key-queue.js';
import { KeyValue } from './kv.js';
import { DEFAULT_LIMITS, type StoreLimits } from './limits.js';
import { assertInBallots, type OperationKind, type OperationOptions, type StoreOptions } from './options.js';
import { promiseCache } from './promise-cache.js';
import { Reconfiguration } from './reconfiguration.js';
import { type Rescanned, rescanKeys } from './rescan.js';
import { systemTime } from './system-time.js';
import type { Versioned } from './versioned.js';
import { asGiven, DELETED, type JsonChange, type Write } from './write.js';

/** Puts a proposer together: protocol, quorum reads, resolution, queue and retries. This is the only place that does. */
export function createStore(options: StoreOptions): Store {
  return new Store(options);
}

/** Versioned keys over one proposer, which any number of callers may use at a time. */
export class Store {
  readonly #options: StoreOptions;
  readonly #limits: StoreLimits;
  readonly #proposer: Proposer;
  readonly #kv: KeyValue;
  readonly #queue: KeyQueue;
  readonly #reconfiguration: Reconfiguration;
  readonly #operations = new Gate();
  #isClosed = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    const { id, state, acceptors, events, time = systemTime, random = Math.random } = options;
    const limits = (this.#limits = { ...DEFAULT_LIMITS, ...options.limits });
    const { incarnation, configuration } = state;
    assertInBallots(id, incarnation);
    const acceptor = (name: string, identity: string | undefined): Acceptor => acceptors.get(name, identity);
    const { acceptorLateMs: lateMs } = limits;
    const asking = (): Asking => (lateMs === undefined ? askAll : hedge({ time, lateMs }));
    const ask = { acceptor, time, timeoutMs: limits.acceptorTimeoutMs, ...(events && { events }) };
    this.#proposer = new Proposer({ id, incarnation, configuration, promises: promiseCache(), askForPromises: asking(), ...ask });
    this.#reconfiguration = new Reconfiguration({ proposer: this.#proposer, acceptors, state, events });
    const reader = new QuorumReader({ proposer: this.#proposer, asking: asking(), ...ask });
    let count = 0;
    const nextOperationId = (): string => [id, incarnation, (count += 1)].map((part) => part.toString(36)).join('.');
    this.#kv = new KeyValue({
      proposer: this.#proposer,
      reader,
      nextOperationId: options.nextOperationId ?? nextOperationId,
      time,
      random,
      resolveMs: limits.resolveMs,
      resolvePauseMs: limits.resolvePauseMs,
      onResolved: events?.onResolved?.bind(events),
    });
    acceptors.introduce?.({
      proposer: id,
      era: () => this.configuration.era,
      beats: state.beats ?? beatsInMemory(),
      onOld: (seenEra) => void this.#reconfiguration.noteOldState(seenEra),
    });
    this.#queue = new KeyQueue({ kv: this.#kv, time, random, limits, onRetry: events?.onRetry?.bind(events) });
  }

  get configuration(): Configuration {
    return this.#proposer.configuration;
  }

  /** Why this proposer has no acceptors, if that is because its state was found to be an old one. */
  get oldState(): string | undefined {
    return this.#reconfiguration.oldState;
  }

  /**
   * Reads a key, linearizably: by quorum, or else by a round.
   * @returns `ver` 0 if the key does not exist
   * @throws BadRequest the key is no text
   * @throws NotApplied no quorum answered in time; the key is as it was
   */
  get(key: string, { wait = true, signal }: OperationOptions = {}): Promise<Versioned> {
    return this.#run('read', signal, async () => {
      assertKey(key);
      if (!wait) return this.#kv.readByRound(key);
      // A quorum read needs no turn: it sends no ballots.
      return (await this.#kv.readByQuorum(key)) ?? this.#queue.run(key, 'read', signal);
    });
  }

  /**
   * Writes `val` as version `ver` + 1 if the key is at version `ver` (0: does not exist). Returns that version, which for a key that was deleted
   * before is the one after its deletion.
   * @param val any JSON value
   * @throws as `write`
   */
  cas(key: string, ver: number, val: unknown, options?: OperationOptions): Promise<Versioned> {
    return this.write(key, { ver, val }, options);
  }

  /**
   * Applies a change function to what the key holds (paper, section 2.2).
   * @returns what it made of the key
   * @throws whatever the function throws; and as `write`
   */
  change(key: string, change: JsonChange, options?: OperationOptions): Promise<Versioned> {
    return this.write(key, { change }, options);
  }

  /**
   * Deletes the key, whatever it holds. What is left is a tombstone (paper, section 3.1).
   * @returns `ver` 0, and the version of the deletion as `deletedVer`
   * @throws as `write`
   */
  delete(key: string, options?: OperationOptions): Promise<Versioned> {
    return this.write(key, { val: DELETED }, options);
  }

  /**
   * Sets, changes or deletes a key. All that wait for one key share a round, in their order, each with its own outcome.
   * @returns what it made of the key; told again, where it is repeated under the same name
   * @throws BadRequest the key is no text, the next value no JSON value, or `ver` no version
   * @throws VersionMismatch the key is at another version than the expected one, which `details` hold
   * @throws KeyNotFound it deletes what does not exist
   * @throws NameReused the name stands for another request
   * @throws OutcomeForgotten nobody can tell any more whether it was applied before under its name
   * @throws NotApplied not applied, as with all of the above
   * @throws CommitError the outcome is unknown: it may have been applied, or be applied later
   */
  write(key: string, write: Write, { wait = true, signal }: OperationOptions = {}): Promise<Versioned> {
    return this.#run('write', signal, async () => {
      assertKey(key);
      const given = asGiven(write);
      return wait ? this.#queue.run(key, given, signal) : this.#kv.write(key, given);
    });
  }

  /**
   * Brings keys to an accept quorum of the present configuration (paper, section 2.3).
   * @param era of the configuration that the caller means
   * @returns the keys that were done, and those that failed, with the reason
   * @throws EraMismatch the configuration is of another era
   */
  rescan(era: number, keys: readonly string[]): Promise<Rescanned> {
    const rescan = async (key: string): Promise<number> => {
      const { val } = await this.rescanKey(key);
      return typeof val === 'string' ? val.length : JSON.stringify(val ?? null).length;
    };
    return rescanKeys({ era, configuration: () => this.configuration, keys, rescan, limits: this.#limits });
  }

  /** Brings one key to an accept quorum of the present configuration, even if it does not exist. Returns what it holds. Errors leave the key as it was. */
  async rescanKey(key: string): Promise<Versioned> {
    return await this.#run('rescan', undefined, () => this.#queue.run(key, 'rescan'));
  }

  /**
   * Changes whom this proposer asks: connections first, then disk, then the rounds. Returns once the new configuration is on disk and in force.
   * Of a cluster with several proposers, all of them must be led through the same steps: see docs/reconfiguration.md.
   *
   * @param expectedEra the era of the configuration that the change was made from
   * @throws EraMismatch the present era is not the expected one; nothing changed
   * @throws BadRequest an era that is not higher, a set that cannot be, or a name that is no address
   * @throws StorageError it could not be written; the present one stays
   */
  reconfigure(next: Configuration, expectedEra: number = this.configuration.era): Promise<Configuration> {
    return this.#reconfiguration.inTurn(async () => {
      this.#assertOpen();
      return this.#reconfiguration.to(next, expectedEra);
    });
  }

  /** Refuses new operations, waits for those that run, and closes the acceptors and the state. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#operations.exclusive(() => Promise.resolve());
    await this.#reconfiguration.inTurn(async () => {
      await this.#options.acceptors.close?.();
      await this.#options.state.close?.();
    });
  }

  #run<Result>(kind: OperationKind, signal: AbortSignal | undefined, task: () => Promise<Result>): Promise<Result> {
    const running = this.#operations.shared(() => {
      this.#assertOpen();
      if (this.oldState !== undefined) throw new OldState(this.oldState);
      signal?.throwIfAborted();
      return task();
    });
    this.#options.events?.onOperation?.(kind, running);
    return running;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new StoreClosed('this store is closed');
  }
}
