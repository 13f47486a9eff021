import type { Redis } from 'ioredis';
import type { Floor } from '../protocol/acceptor.js';
import { formatBallot, parseBallot } from '../protocol/ballot.js';
import { UnfitAcceptor } from '../protocol/errors.js';
import { parseAddress } from '../node/addresses.js';
import { ADOPT, DISTINCT, SIZE, WIPE } from './admin-scripts.js';
import type { AcceptorAdmin, Copied, Remains, Tombstone } from './acceptor-admin.js';
import { ERASE, RAISE_FLOOR, REMAINS } from './collection-scripts.js';
import { acceptedIn, copyInto, holdingsIn } from './copying.js';
import { type Acquaintance, type Fitness, lookAtFitness } from './fitness.js';
import { type AcceptorKeys, ERAS_KEY, FLOOR_KEY, floorKeyBeside, ONE_REDIS, REGISTER_PREFIX } from './keys.js';
import { onLoading } from './loading.js';
import { noEntryText } from './no-entry.js';
import type { Holding } from './holding.js';
import { connectRedis, type RedisAccess } from './redis-connection.js';
import { refusalIn } from './refusals.js';
import { copyingRemark, erasRemark } from './rights.js';
import { Sender } from './sender.js';

/** How many keys one SCAN call looks at. */
const SCAN_COUNT = 1000;

/** Messages that share one time-out. */
const FLOORS_AT_ONCE = 500;

/** With the users of an earlier version nobody can have written what may not be removed, and what may not be read is not known. */
function unlessForbidden(error: unknown): undefined {
  if (!(error instanceof Error && error.message.startsWith('NOPERM'))) throw error;
}

/** Ballots as `formatBallot` writes them. */
export interface RegisterText {
  readonly promise: string | null;
  readonly ballot: string | null;
  readonly value: string | null;
}

/** An acceptor that is one Redis. */
export class RedisAdmin implements AcceptorAdmin {
  protected readonly address: string;
  protected readonly timeoutMs: number;
  protected readonly redis: Redis;
  readonly #sender: Sender;
  readonly #user: string | undefined;
  readonly #keys: AcceptorKeys;
  readonly #floorKeys: readonly string[];
  /** Why it serves nobody here although it takes connections. */
  #noEntry: string | undefined;
  /** Whether it takes connections and ends them. */
  protected hungUp = false;
  /** Resolves if it says, before it is connected, that it still reads its file. */
  protected readonly loading: Promise<void>;

  /**
   * @param address see `parseAddress`
   * @param timeoutMs for the connection and for each command
   * @param keys what it has beside its registers
   */
  constructor(address: string, timeoutMs: number, access: RedisAccess = {}, keys: AcceptorKeys = ONE_REDIS) {
    this.address = address;
    this.timeoutMs = timeoutMs;
    this.redis = connectRedis(address, timeoutMs, access, { lazyConnect: true, retryStrategy: () => null });
    this.redis.on('error', (error: Error) => {
      this.#noEntry ??= noEntryText(error);
      this.hungUp ||= 'code' in error && error.code === 'ECONNRESET';
      // What is no Redis may say nothing more.
      if (this.#noEntry !== undefined) this.redis.disconnect();
    });
    this.#sender = new Sender(this.redis);
    this.#user = access.username;
    this.loading = new Promise((tell) => onLoading(this.redis, tell));
    this.#keys = keys;
    this.#floorKeys = keys.identity.map(floorKeyBeside);
  }

  /** Rejects with {@link UnfitAcceptor} if somebody is there who lets this node not in, or is no Redis. */
  async connect(): Promise<void> {
    try {
      await this.redis.connect();
    } catch (error) {
      if (this.#noEntry !== undefined) throw new UnfitAcceptor(this.#noEntry, {}, error);
      throw error;
    }
  }

  async fitness(known: Acquaintance): Promise<Fitness> {
    const [fitness, ...remarks] = await Promise.all([
      lookAtFitness(this.redis, known, parseAddress(this.address).isConfigAsked),
      copyingRemark(this.redis, this.#user),
      this.#keys.others.includes(ERAS_KEY) ? erasRemark(this.redis, this.#user) : undefined,
    ]);
    return { ...fitness, cautions: [...fitness.cautions, ...remarks.filter((remark) => remark !== undefined)] };
  }

  async *keys(): AsyncGenerator<string[]> {
    let cursor = '0';
    do {
      const [next, names] = await this.redis.scanBuffer(cursor, 'MATCH', `${REGISTER_PREFIX}*`, 'COUNT', SCAN_COUNT);
      cursor = next.toString();
      // Each a text of its own: a part of one keeps the whole of it, and a million keys are remembered.
      yield names.map((name) => name.toString('utf8', REGISTER_PREFIX.length));
    } while (cursor !== '0');
  }

  /** One register as it is stored. Fields that nothing was written to are null. */
  async register(key: string): Promise<RegisterText> {
    const [promise = null, ballot = null, value = null] = await this.redis.hmget(REGISTER_PREFIX + key, 'promise', 'ballot', 'value');
    return { promise, ballot, value };
  }

  /** What is not ours counts too: a wipe would remove it. */
  async size(): Promise<number> {
    return Number(await this.redis.eval(SIZE, 0, ...this.#keys.identity, ...this.#floorKeys, ...this.#keys.others));
  }

  async highestEra(): Promise<number> {
    let { era: highest } = await this.floor();
    for await (const keys of this.keys()) {
      const promises = await Promise.all(keys.map((key) => this.redis.hget(REGISTER_PREFIX + key, 'promise')));
      for (const promise of promises) highest = Math.max(highest, parseBallot(promise ?? '').era);
    }
    return highest;
  }

  async identity(): Promise<string | undefined> {
    return joinIdentities(await this.#distinct(this.#keys.identity));
  }

  async eras(): Promise<ReadonlyMap<number, number> | undefined> {
    const told = await this.redis.hgetall(ERAS_KEY).catch(unlessForbidden);
    return told && new Map(Object.entries(told).map(([proposer, era]) => [Number(proposer), Number(era)]));
  }

  async adopt(identity: string): Promise<string> {
    await this.#closeOthers();
    if (this.#keys.others.includes(ERAS_KEY)) await this.redis.del(ERAS_KEY).catch(unlessForbidden);
    await this.redis.eval(ADOPT, 0, identity, ...this.#keys.identity);
    return String(await this.identity());
  }

  async wipe(whose?: { readonly identity: string | undefined }): Promise<number> {
    await this.#closeOthers();
    const expected = whose ? `|${whose.identity ?? ''}|` : '';
    const { identity, others } = this.#keys;
    const count = Number(await this.redis.eval(WIPE, 0, expected, identity.length, ...identity, ...this.#floorKeys, ...others));
    if (count < 0) throw new Error('it joined under a new identity meanwhile');
    return count;
  }

  async floor(): Promise<Floor> {
    const parts = (await this.#distinct(this.#floorKeys)).map((text) => text.split('.').map(Number));
    const highest = (part: number): number => Math.max(0, ...parts.map((floor) => floor[part] ?? 0));
    return { era: highest(0), version: highest(1) };
  }

  async raiseFloor({ era, version }: Floor): Promise<void> {
    // One command for each: a script with several writes is a transaction in the file, which may be torn (docs/acceptors.md).
    for (let at = 0; at < this.#floorKeys.length; at += FLOORS_AT_ONCE) {
      const keys = this.#floorKeys.slice(at, at + FLOORS_AT_ONCE);
      await Promise.all(keys.map((key) => this.redis.eval(RAISE_FLOOR, 1, key, era, version)));
    }
  }

  async remains(keys: readonly string[]): Promise<(Remains | undefined)[]> {
    const found = (await this.redis.eval(REMAINS, 0, ...keys.map((key) => REGISTER_PREFIX + key))) as ([string, string] | null)[];
    return keys.map((key, index) => {
      const [ballot, version] = found[index] ?? [];
      return ballot === undefined ? undefined : { key, ballot: parseBallot(ballot), version: version ? Number(version) : undefined };
    });
  }

  erase(era: number, tombstones: readonly Tombstone[]): Promise<number> {
    return this.eraseUnder(FLOOR_KEY, era, tombstones);
  }

  /** As {@link erase}, of registers that are all under one of several floors. */
  async eraseUnder(floorKey: string, era: number, tombstones: readonly Tombstone[]): Promise<number> {
    const registers = tombstones.flatMap(({ key, ballot, version }) => [REGISTER_PREFIX + key, formatBallot(ballot), version]);
    return Number(await this.redis.eval(ERASE, 1, floorKey, era, ...registers));
  }

  holdings(keys: readonly string[]): Promise<Holding[]> {
    return holdingsIn(this.#sender, keys);
  }

  accepted(keys: readonly string[]): Promise<(Copied | undefined)[]> {
    return acceptedIn(this.#sender, keys);
  }

  copy(era: number, registers: readonly Copied[], floorKeyOf: (register: string) => string = () => FLOOR_KEY): Promise<string[]> {
    return copyInto(this.#sender, era, registers, floorKeyOf).catch((error: unknown) => {
      throw refusalIn(error, this.timeoutMs);
    });
  }

  close(): void {
    this.redis.disconnect();
  }

  async #distinct(keys: readonly string[]): Promise<string[]> {
    // One message for thousands of keys: as many messages would share one time-out.
    return (await this.redis.eval(DISTINCT, 0, ...keys)) as string[];
  }

  async #closeOthers(): Promise<void> {
    await this.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  }
}

/** What several keys, or several nodes, say of who an acceptor is: the one that all of them say, or every one, with bars between. */
export function joinIdentities(identities: readonly (string | null | undefined)[]): string | undefined {
  const distinct = new Set(identities.flatMap((identity) => (identity ?? '').split('|')));
  return [...distinct].sort().join('|') || undefined;
}
