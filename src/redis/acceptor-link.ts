import type { Ballot } from '../protocol/ballot.js';
import { StrangerError, UnfitAcceptor } from '../protocol/errors.js';
import { parseAddress } from '../node/addresses.js';
import { anonymous, strangerText, type WentBack, wentBack } from '../store/greeting.js';
import { type Acquaintance, type Fitness, flawText, lookAtFitness } from './fitness.js';
import { Greeter, type GreetingRedis } from './greeter.js';
import { type IdentityKeys, type LinkOptions, type LinkState, ONE_IDENTITY, type OnState } from './link-options.js';
import { onLoading } from './loading.js';
import { NAMES, type Names } from './names.js';
import { connectRedis, RECONNECT_MS, reconnectPause } from './redis-connection.js';
import { NotConnected, RefusedToRun } from './refusals.js';
import { GREETING_SCRIPTS } from './scripts.js';
import { Sender } from './sender.js';

/** Rare enough to cost nothing. What is set wrong meanwhile is believed for so long. */
const FITNESS_EVERY_MS = 5_000;
/** A proposer may miss that writes are lost which others made in the last two of these. */
const GREET_EVERY_MS = 1_000;

/**
 * The connection to an acceptor: it is made again whenever it is lost, and nothing is sent over a new one before it is known who answers, and that
 * it keeps what it is told.
 */
export class AcceptorLink {
  readonly redis: GreetingRedis;
  readonly sender: Sender;
  readonly #address: string;
  readonly #identity: string;
  readonly #identityKeys: IdentityKeys;
  readonly #names: Names;
  readonly #onState: OnState | undefined;
  readonly #fitnessEveryMs: number;
  readonly #greetEveryMs: number;
  readonly #greeter: Greeter | undefined;
  #state: LinkState = 'unreachable';
  /** Why it is unfit. */
  #flaws = '';
  #known: Acquaintance = 'nothing';
  #memoryUsed: number | undefined;
  #wentBack: WentBack | undefined;
  #loadingSinceMs: number | undefined;
  #nextLook: NodeJS.Timeout | undefined;
  #nextGreeting: NodeJS.Timeout | undefined;
  /** Whether the last connection got no answer to its first question. */
  #isSilent = false;

  constructor(options: LinkOptions) {
    const { address, access, identity = '', timeoutMs, onState, introduction = anonymous(), names = NAMES } = options;
    const { identityKeys = ONE_IDENTITY, fitnessEveryMs = FITNESS_EVERY_MS, greetEveryMs = GREET_EVERY_MS } = options;
    this.#address = address;
    this.#identity = identity;
    this.#identityKeys = identityKeys;
    this.#names = names;
    this.#onState = onState;
    this.#fitnessEveryMs = fitnessEveryMs;
    this.#greetEveryMs = greetEveryMs;
    // For ioredis a connection has succeeded before the first question, and its attempts count from one again.
    const retryStrategy = (attempt: number): number => (this.#isSilent ? RECONNECT_MS : reconnectPause(attempt));
    this.redis = connectRedis(address, timeoutMs, access, { scripts: GREETING_SCRIPTS, retryStrategy }, names) as GreetingRedis;
    this.sender = new Sender(this.redis);
    if (identity !== '' && identityKeys === ONE_IDENTITY) this.#greeter = new Greeter(this.redis, identity, introduction);
    onLoading(this.redis, () => this.#noteLoading());
    this.redis.on('ready', () => void this.#recognize());
    this.redis.on('close', () => this.#lose());
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Why it is unfit; "" where it is not. */
  get flaws(): string {
    return this.#state === 'unfit' ? this.#flaws : '';
  }

  /** The share of its memory that was used when it was looked at last; undefined where that has no limit, or nobody answers. */
  get memoryUsed(): number | undefined {
    return this.#state === 'unreachable' || this.#state === 'loading' ? undefined : this.#memoryUsed;
  }

  /** What is known of its disk, where it is a stranger because that went back. */
  get wentBack(): WentBack | undefined {
    return this.#state === 'stranger' ? this.#wentBack : undefined;
  }

  /** Since when it is known to read its file; undefined where it does not. */
  get loadingSinceMs(): number | undefined {
    return this.#state === 'loading' ? this.#loadingSinceMs : undefined;
  }

  /** The acceptor has promised this over the link. */
  confirmed(key: string, promise: Ballot): void {
    this.#greeter?.confirmed(key, promise);
  }

  /** Throws what a message would end with that is not sent: {@link NotConnected}, {@link RefusedToRun}, {@link StrangerError} or {@link UnfitAcceptor}. */
  assertReady(): void {
    if (this.#state === 'unreachable') throw new NotConnected();
    if (this.#state === 'loading') throw new RefusedToRun('LOADING', undefined);
    if (this.#state === 'stranger') throw this.mismatch('another one');
    if (this.#state === 'unfit') throw new UnfitAcceptor(this.#flaws);
  }

  assertIdentity(present: string | null): void {
    if (present !== this.#identity) throw this.mismatch(present ?? '');
  }

  /** What to throw where another acceptor has answered. It stays a stranger until the next connection: without its registers it has nothing to say. */
  mismatch(present: string | undefined): StrangerError {
    if (this.#names.misled(parseAddress(this.#address).host, this.redis.stream)) {
      this.redis.disconnect(true);
    } else {
      if (this.#state !== 'stranger') this.#wentBack = wentBack(present);
      this.#become('stranger', this.#wentBack?.text);
    }
    return new StrangerError(strangerText(present, this.#identity));
  }

  /** Greets it now, not only in a second. */
  greetNow(): void {
    if (this.#state === 'ready') void this.#greetAgain();
  }

  close(): void {
    this.#rest();
    this.redis.disconnect();
  }

  /** As {@link close}, but first it is told the era in which it is no longer asked, if it answers. */
  async leave(): Promise<void> {
    if (this.#state === 'ready') await this.#greeter?.greet().catch(() => undefined);
    this.close();
  }

  async #recognize(): Promise<void> {
    try {
      const [caution, fitness] = await Promise.all([this.#meet(), this.#lookAtFitness()]);
      this.#judge({ ...fitness, cautions: [...fitness.cautions, ...caution] });
      this.#isSilent = false;
    } catch (error) {
      this.#isSilent = !(error instanceof StrangerError);
      // Without an answer to the first question there are no others: the next connection asks it again.
      if (this.#isSilent && this.redis.status === 'ready') this.redis.disconnect(true);
    }
  }

  /** @returns what an operator should know. Throws {@link StrangerError} if another one answers, or one that lost what it held. */
  async #meet(): Promise<string[]> {
    if (this.#greeter) {
      const { greeted, caution } = await this.#greeter.greet();
      if ('identity' in greeted) throw this.mismatch(greeted.identity);
      return caution === undefined ? [] : [caution];
    }
    // Also where nobody is meant: a Redis Cluster says thereby who has which slots.
    const identityKey = await this.#identityKeys.met();
    if (this.#identity !== '' && identityKey !== undefined) this.assertIdentity(await this.redis.get(identityKey));
    return [];
  }

  async #greetAgain(): Promise<void> {
    clearTimeout(this.#nextGreeting);
    this.#nextGreeting = undefined;
    await this.#meet().catch(() => undefined);
    // One that is slow, or was lost, is no worse than before: the next connection begins with a greeting. A stranger stays one.
    if (this.#state === 'ready' && this.redis.status === 'ready') this.#greetLater();
  }

  #greetLater(): void {
    clearTimeout(this.#nextGreeting);
    this.#nextGreeting = setTimeout(() => void this.#greetAgain(), this.#greetEveryMs);
  }

  #lookAtFitness(): Promise<Fitness> {
    return lookAtFitness(this.redis, this.#known, parseAddress(this.#address).isConfigAsked);
  }

  #judge({ flaws, cautions, memoryUsed }: Fitness): void {
    if (this.redis.status !== 'ready' || this.#state === 'stranger') return;
    this.#memoryUsed = memoryUsed;
    this.#flaws = flaws.map(flawText).join('; ');
    if (flaws.length === 0) this.#known = 'served';
    else if (flaws.some(({ setting }) => setting === 'appendonly')) this.#known = 'no file';
    // Only of one whose identity is known would it show that another one has its address by now.
    if (this.#identity !== '') this.#names.worked(parseAddress(this.#address).host, this.redis.stream);
    if (flaws.length === 0) this.#become('ready', cautions.join('; '));
    else this.#become('unfit', this.#flaws);
    if (this.#greeter && this.#nextGreeting === undefined) this.#greetLater();
    this.#lookLater();
  }

  /** Who answers is not asked again: each message is refused by another one. */
  async #lookAgain(): Promise<void> {
    try {
      this.#judge(await this.#lookAtFitness());
    } catch {
      // It is slow, or was lost, and is no worse than before: the next connection begins with a look.
      if (this.redis.status === 'ready') this.#lookLater();
    }
  }

  #lookLater(): void {
    clearTimeout(this.#nextLook);
    this.#nextLook = setTimeout(() => void this.#lookAgain(), this.#fitnessEveryMs);
  }

  #rest(): void {
    clearTimeout(this.#nextLook);
    clearTimeout(this.#nextGreeting);
    this.#nextGreeting = undefined;
  }

  #noteLoading(): void {
    if (this.#state !== 'unreachable') return;
    this.#loadingSinceMs = Date.now();
    this.#become('loading');
  }

  #lose(): void {
    this.#rest();
    if (this.#known === 'served') this.#known = 'nothing';
    this.#become('unreachable');
  }

  #become(state: LinkState, remark = ''): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState?.(state, remark);
  }
}
