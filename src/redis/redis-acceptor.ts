import type { Redis } from 'ioredis';
import {
  type Accepted,
  type Acceptor,
  type AcceptReply,
  type Conflict,
  type RegisterState,
  type PrepareReply,
  type Value,
} from '../protocol/acceptor.js';
import { type Ballot, formatBallot, parseBallot } from '../protocol/ballot.js';
import type { WentBack } from '../store/greeting.js';
import { AcceptorLink } from './acceptor-link.js';
import { floorKeyBeside, IDENTITY_KEY, REGISTER_PREFIX } from './keys.js';
import { type IdentityKeys, type LinkOptions, type LinkState, ONE_IDENTITY } from './link-options.js';
import { refusalIn, RefusedToRun } from './refusals.js';
import { ACCEPT, FREEING_ACCEPT, FREEING_PREPARE, LARGE, PREPARE, TRY_WRITE } from './scripts.js';
import type { Sender } from './sender.js';
import { type AcceptorTrouble, type OnTrouble, TroubleWatch } from './trouble.js';

export interface RedisAcceptorOptions extends LinkOptions {
  /** Called when it begins to refuse what it is told, or to be late, and when that is over. */
  readonly onTrouble?: OnTrouble;
}

/** The same ballot goes to one acceptor after the other: its text is made once. */
const textOfBallot = formatOnce();
const textOfNext = formatOnce();

/** The acceptor's role played by a Redis server: a script for each phase, run in one step by Redis. */
export class RedisAcceptor implements Acceptor {
  protected readonly address: string;
  protected readonly redis: Redis;
  readonly #sender: Sender;
  readonly #link: AcceptorLink;
  readonly #identity: string;
  readonly #identityKeys: IdentityKeys;
  readonly #timeoutMs: number;
  readonly #trouble: TroubleWatch;
  /** In a Redis Cluster it tells for which slot to look whether the trouble is over. */
  #failedBeside = IDENTITY_KEY;

  constructor(options: RedisAcceptorOptions) {
    const { address, identity = '', identityKeys = ONE_IDENTITY, timeoutMs, onTrouble } = options;
    this.address = address;
    this.#identity = identity;
    this.#identityKeys = identityKeys;
    this.#timeoutMs = timeoutMs;
    this.#trouble = new TroubleWatch(() => (identity === '' ? this.tryWrite() : this.#tryWriteBeside(this.#failedBeside)), onTrouble);
    this.#link = new AcceptorLink(options);
    this.redis = this.#link.redis;
    this.#sender = this.#link.sender;
    this.redis.on('close', () => this.#trouble.stop());
  }

  get state(): LinkState {
    return this.#link.state;
  }

  get flaws(): string {
    return this.#link.flaws;
  }

  /** See {@link AcceptorLink.memoryUsed}. */
  get memoryUsed(): number | undefined {
    return this.#link.memoryUsed;
  }

  get wentBack(): WentBack | undefined {
    return this.#link.wentBack;
  }

  /** Undefined: it does what it is told, as far as is known. */
  get trouble(): AcceptorTrouble | undefined {
    const { loadingSinceMs } = this.#link;
    if (loadingSinceMs === undefined) return this.#trouble.present;
    return { reason: 'LOADING', text: new RefusedToRun('LOADING', undefined).message, sinceMs: loadingSinceMs };
  }

  async prepare(key: string, ballot: Ballot, frees = false): Promise<PrepareReply> {
    this.#link.assertReady();
    this.#sender.gather();
    const register = REGISTER_PREFIX + key;
    const identityKey = this.#identityKeys.of(register);
    const message = [register, identityKey, floorKeyBeside(identityKey), textOfBallot(ballot), this.#identity];
    let answer: string[];
    try {
      answer = await this.#sender.run(PREPARE, message);
      this.#trouble.worked();
    } catch (error) {
      answer = await this.#freed(error, identityKey, frees, () => this.#sender.run(FREEING_PREPARE, message));
    }
    const [verdict, other, value, floor] = answer;
    if (verdict !== 'ok') return this.#refusal(verdict, String(other));
    this.#link.confirmed(key, ballot);
    return { ok: true, ...accepted(other, value), ...(Number(floor) > 0 && { floor: Number(floor) }) };
  }

  async accept(key: string, ballot: Ballot, value: Value, next: Ballot, frees = false): Promise<AcceptReply> {
    this.#link.assertReady();
    this.#sender.gather();
    const register = REGISTER_PREFIX + key;
    const identityKey = this.#identityKeys.of(register);
    const floorKey = floorKeyBeside(identityKey);
    const message = [register, identityKey, floorKey, textOfBallot(ballot), value ?? '', textOfNext(next), this.#identity];
    let answer: string[];
    try {
      answer = await this.#sender.run(ACCEPT, message);
      this.#trouble.worked();
    } catch (error) {
      answer = await this.#freed(error, identityKey, frees, () => this.#sender.run(FREEING_ACCEPT, message));
    }
    const [verdict, other] = answer;
    if (verdict !== 'ok') return this.#refusal(verdict, String(other));
    this.#link.confirmed(key, next);
    return { ok: true };
  }

  async read(key: string): Promise<RegisterState> {
    this.#link.assertReady();
    this.#sender.gather();
    const register = REGISTER_PREFIX + key;
    let fields: (string | null)[];
    try {
      fields = await this.#sender.send('hmget', register, 'promise', 'ballot', 'value');
    } catch (error) {
      throw refusalIn(error, this.#timeoutMs);
    }
    const [promise = null, ballot, value] = fields;
    // Asked after the register: that it is absent counts if the acceptor had its data until then.
    if (promise === null && this.#identity !== '') this.#link.assertIdentity(await this.redis.get(this.#identityKeys.of(register)));
    return { promise: parseBallot(promise ?? ''), ...accepted(ballot, value) };
  }

  /** See {@link AcceptorLink.greetNow}. */
  greetNow(): void {
    this.#link.greetNow();
  }

  close(): void {
    this.#trouble.stop();
    this.#link.close();
  }

  /** See {@link AcceptorLink.leave}. */
  async leave(): Promise<void> {
    await this.#link.leave();
    this.#trouble.stop();
  }

  /** Rejects if it would not write now, and changes nothing. Of one without an identity no more is known than that it answers. */
  async tryWrite(): Promise<void> {
    if (this.#identity === '') await this.read('');
    else await this.#tryWriteBeside(this.#identityKeys.of(REGISTER_PREFIX));
  }

  async #tryWriteBeside(identityKey: string): Promise<void> {
    this.#link.assertReady();
    try {
      await this.redis.eval(TRY_WRITE, 1, identityKey, LARGE);
    } catch (error) {
      // The identity is no hash: it got as far as to write.
      if (!(error instanceof Error && error.message.startsWith('WRONGTYPE'))) throw this.#noteFailure(error, identityKey);
    }
    this.#trouble.worked();
  }

  /** Sends a message again that was refused for want of memory, where it frees some. It was certainly not run. Else throws what the refusal was. */
  async #freed(error: unknown, identityKey: string, frees: boolean, send: () => Promise<string[]>): Promise<string[]> {
    const refusal = this.#noteFailure(error, identityKey);
    if (!(frees && refusal instanceof RefusedToRun && refusal.reason === 'OOM')) throw refusal;
    try {
      return await send();
    } catch (again) {
      throw this.#noteFailure(again, identityKey);
    }
  }

  /** @returns what to throw */
  #noteFailure(error: unknown, identityKey: string): unknown {
    const refusal = refusalIn(error, this.#timeoutMs);
    this.#failedBeside = identityKey;
    this.#trouble.failed(refusal);
    return refusal;
  }

  #refusal(verdict: string | undefined, other: string): Conflict {
    if (verdict === 'stranger') throw this.#link.mismatch(other);
    return { ok: false, conflict: parseBallot(other) };
  }
}

function formatOnce(): (ballot: Ballot) => string {
  let last: Ballot | undefined;
  let text = '';
  return (ballot) => {
    if (ballot !== last) text = formatBallot(ballot);
    last = ballot;
    return text;
  };
}

/** The empty register is stored as "", which no value is. */
function accepted(ballot: string | null | undefined, value: string | null | undefined): Accepted {
  return { ballot: parseBallot(ballot ?? ''), value: value === '' ? null : (value ?? null) };
}
