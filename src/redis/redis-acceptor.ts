import { StrangerError, UnfitAcceptor } from '../protocol/errors.js';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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
import { anonymous, type Introduction, strangerText, type WentBack, wentBack } from '../store/greeting.js';
import { parseAddress } from '../node/addresses.js';
import { type Acquaintance, type Fitness, flawText, lookAtFitness } from './fitness.js';
import { Greeter, type GreetingRedis } from './greeter.js';
import { IDENTITY_KEY, REGISTER_PREFIX } from './keys.js';
import { NotConnected, refusalIn } from './refusals.js';
import { NAMES, type Names } from './names.js';
import { type OnTrouble, type AcceptorTrouble, TroubleWatch } from './trouble.js';
import { connectRedis, RECONNECT_MS, reconnectPause, type RedisAccess } from './redis-connection.js';

/**
 * Finds the key in which an acceptor keeps its identity. A script declares that key beside the register's: a node of a Redis Cluster runs only what stays in one
 * slot.
 */
export interface IdentityKeys {
  /** The key to look at for a register. */
  of(register: string): string;
  /** The key to look at over a new connection; undefined if there is none to look at. Rejects if the connection is of no use. */
  met(): Promise<string | undefined>;
}

const ONE_IDENTITY: IdentityKeys = { of: () => IDENTITY_KEY, met: () => Promise.resolve(IDENTITY_KEY) };

interface ScriptedRedis extends GreetingRedis {
  casPrepare(register: string, identityKey: string, ballot: string, identity: string): Promise<string[]>;
  casAccept(register: string, identityKey: string, ballot: string, value: string, next: string, identity: string): Promise<string[]>;
}

const script = (name: string, numberOfKeys = 2): { numberOfKeys: number; lua: string } => ({
  numberOfKeys,
  lua: readFileSync(createRequire(import.meta.url).resolve(`#acceptor/${name}.lua`), 'utf8'),
});

/**
 * A write that a server refuses for every reason for which it refuses an accept, and that changes nothing where it is let through: the identity is a
 * string, and no hash. The argument takes as much room as the largest value.
 */
const TRY_WRITE = `
  if redis.call('GET', KEYS[1]) then return redis.call('HSET', KEYS[1], 'value', ARGV[1]) end
`;
const LARGE = ' '.repeat(64 * 1024);

const SCRIPTS = { casPrepare: script('prepare'), casAccept: script('accept'), casGreet: script('greet', 4) };

export interface RedisAcceptorOptions {
  /** See `parseAddress`. */
  readonly address: string;
  readonly access?: RedisAccess | undefined;
  /** Of the acceptor that is meant; without one it is not checked. */
  readonly identity?: string | undefined;
  /** For each message, in milliseconds. */
  readonly timeoutMs: number;
  /** Called when the acceptor begins to answer, when it no longer does, and when another one answers in its place. */
  readonly onState?: OnState;
  /** Called when it begins to refuse what it is told, or to be late, and when that is over. */
  readonly onTrouble?: OnTrouble;
  /** On whose behalf it is asked. */
  readonly introduction?: Introduction;
  /** Of a node of a Redis Cluster, which is not greeted: its identity alone is looked at. */
  readonly identityKeys?: IdentityKeys;
  /** Those of the process, unless others are given. */
  readonly names?: Names;
  /** How often an acceptor that is connected is looked at again, in milliseconds. */
  readonly fitnessEveryMs?: number;
  /** How often it is greeted again, in milliseconds. */
  readonly greetEveryMs?: number;
}

/**
 * `stranger`: somebody answers, but not the acceptor that is meant. `unfit`: as it is set up it would lose what it promised or accepted.
 * `replicated`: a Redis Cluster with replicas, see {@link REPLICATED}.
 */
export type LinkState = 'unreachable' | 'ready' | 'stranger' | 'unfit' | 'replicated';
/** @param remark why it is unfit, or what an operator should know of one that is ready */
export type OnState = (state: LinkState, remark?: string) => void;

/** Rare enough to cost nothing. What is set wrong meanwhile is believed for so long. */
const FITNESS_EVERY_MS = 5_000;
/** A proposer may miss that writes are lost which others made in the last two of these. */
const GREET_EVERY_MS = 1_000;

/** The acceptor's role played by a Redis server: a script for each phase, run in one step by Redis. */
export class RedisAcceptor implements Acceptor {
  protected readonly address: string;
  protected readonly redis: ScriptedRedis;
  readonly #identity: string;
  readonly #identityKeys: IdentityKeys;
  readonly #timeoutMs: number;
  readonly #names: Names;
  readonly #onState: OnState | undefined;
  readonly #fitnessEveryMs: number;
  readonly #greetEveryMs: number;
  #state: LinkState = 'unreachable';
  /** Why it is unfit. */
  #flaws = '';
  #known: Acquaintance = 'nothing';
  readonly #trouble: TroubleWatch;
  /** In a Redis Cluster it tells for which slot to look whether the trouble is over. */
  #failedBeside = IDENTITY_KEY;
  #nextLook: NodeJS.Timeout | undefined;
  readonly #greeter: Greeter | undefined;
  #nextGreeting: NodeJS.Timeout | undefined;
  #wentBack: WentBack | undefined;
  /** Whether the last connection got no answer to its first question. */
  #isSilent = false;

  constructor(options: RedisAcceptorOptions) {
    const { address, access, identity = '', timeoutMs, onState, onTrouble, introduction = anonymous(), names = NAMES } = options;
    const { identityKeys = ONE_IDENTITY, fitnessEveryMs = FITNESS_EVERY_MS, greetEveryMs = GREET_EVERY_MS } = options;
    this.#fitnessEveryMs = fitnessEveryMs;
    this.#greetEveryMs = greetEveryMs;
    this.address = address;
    this.#identity = identity;
    this.#identityKeys = identityKeys;
    this.#timeoutMs = timeoutMs;
    this.#names = names;
    this.#onState = onState;
    this.#trouble = new TroubleWatch(() => (identity === '' ? this.tryWrite() : this.#tryWriteBeside(this.#failedBeside)), onTrouble);
    // For ioredis a connection has succeeded before the first question, and its attempts count from one again.
    const retryStrategy = (attempt: number): number => (this.#isSilent ? RECONNECT_MS : reconnectPause(attempt));
    this.redis = connectRedis(address, timeoutMs, access, { scripts: SCRIPTS, retryStrategy }, names) as ScriptedRedis;
    if (identity !== '' && identityKeys === ONE_IDENTITY) this.#greeter = new Greeter(this.redis, identity, introduction);
    this.redis.on('ready', () => void this.#recognize());
    this.redis.on('close', () => this.#lose());
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Undefined: it does what it is told, as far as is known. */
  get trouble(): AcceptorTrouble | undefined {
    return this.#trouble.present;
  }

  /** Why it is unfit; "" where it is not. */
  get flaws(): string {
    return this.#state === 'unfit' ? this.#flaws : '';
  }

  /** What is known of its disk, where it is a stranger because that went back. */
  get wentBack(): WentBack | undefined {
    return this.#state === 'stranger' ? this.#wentBack : undefined;
  }

  async prepare(key: string, ballot: Ballot): Promise<PrepareReply> {
    this.#gatherWrites();
    const register = REGISTER_PREFIX + key;
    const identityKey = this.#identityKeys.of(register);
    const sent = this.redis.casPrepare(register, identityKey, formatBallot(ballot), this.#identity);
    const [verdict, other, value] = await this.#answerTo(sent, identityKey);
    if (verdict !== 'ok') return this.#refusal(verdict, String(other));
    this.#greeter?.confirmed(key, ballot);
    return { ok: true, ...accepted(other, value) };
  }

  async accept(key: string, ballot: Ballot, value: Value, next: Ballot): Promise<AcceptReply> {
    this.#gatherWrites();
    const register = REGISTER_PREFIX + key;
    const identityKey = this.#identityKeys.of(register);
    const sent = this.redis.casAccept(register, identityKey, formatBallot(ballot), value ?? '', formatBallot(next), this.#identity);
    const [verdict, other] = await this.#answerTo(sent, identityKey);
    if (verdict !== 'ok') return this.#refusal(verdict, String(other));
    this.#greeter?.confirmed(key, next);
    return { ok: true };
  }

  async read(key: string): Promise<RegisterState> {
    this.#gatherWrites();
    const register = REGISTER_PREFIX + key;
    let fields: (string | null)[];
    try {
      fields = await this.redis.hmget(register, 'promise', 'ballot', 'value');
    } catch (error) {
      throw refusalIn(error, this.#timeoutMs);
    }
    const [promise = null, ballot, value] = fields;
    // Asked after the register: that it is absent counts if the acceptor had its data until then.
    if (promise === null && this.#identity !== '') this.#assertIdentity(await this.redis.get(this.#identityKeys.of(register)));
    return { promise: parseBallot(promise ?? ''), ...accepted(ballot, value) };
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

  /** Greets it now, not only in a second. */
  greetNow(): void {
    if (this.#state === 'ready') void this.#greetAgain();
  }

  /** Rejects if it would not write now, and changes nothing. Of one without an identity no more is known than that it answers. */
  async tryWrite(): Promise<void> {
    if (this.#identity === '') await this.read('');
    else await this.#tryWriteBeside(this.#identityKeys.of(REGISTER_PREFIX));
  }

  async #tryWriteBeside(identityKey: string): Promise<void> {
    this.#assertReady();
    await this.#answerTo(
      this.redis.eval(TRY_WRITE, 1, identityKey, LARGE).catch((error: unknown) => {
        if (!(error instanceof Error && error.message.startsWith('WRONGTYPE'))) throw error;
        return [];
      }),
      identityKey,
    );
  }

  async #answerTo<Answer>(sent: Promise<Answer>, identityKey: string): Promise<Answer> {
    try {
      const answer = await sent;
      this.#trouble.worked();
      return answer;
    } catch (error) {
      const refusal = refusalIn(error, this.#timeoutMs);
      this.#failedBeside = identityKey;
      this.#trouble.failed(refusal);
      throw refusal;
    }
  }

  /** All messages of one turn of the event loop leave in one write: Redis runs them together, and syncs its disk once for all of them. */
  #gatherWrites(): void {
    this.#assertReady();
    const { stream } = this.redis;
    if (stream.writableCorked > 0) return;
    stream.cork();
    setImmediate(() => stream.uncork());
  }

  /** Nothing is sent over a new connection before it is known who answers, and that it keeps what it is told. */
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
      if ('identity' in greeted) throw this.#mismatch(greeted.identity);
      return caution === undefined ? [] : [caution];
    }
    // Also where nobody is meant: a Redis Cluster says thereby who has which slots.
    const identityKey = await this.#identityKeys.met();
    if (this.#identity !== '' && identityKey !== undefined) this.#assertIdentity(await this.redis.get(identityKey));
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
    return lookAtFitness(this.redis, this.#known, parseAddress(this.address).isConfigAsked);
  }

  #judge({ flaws, cautions }: Fitness): void {
    if (this.redis.status !== 'ready' || this.#state === 'stranger') return;
    this.#flaws = flaws.map(flawText).join('; ');
    if (flaws.length === 0) this.#known = 'served';
    else if (flaws.some(({ setting }) => setting === 'appendonly')) this.#known = 'no file';
    // Only of one whose identity is known would it show that another one has its address by now.
    if (this.#identity !== '') this.#names.worked(parseAddress(this.address).host, this.redis.stream);
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
    this.#trouble.stop();
    clearTimeout(this.#nextLook);
    clearTimeout(this.#nextGreeting);
    this.#nextGreeting = undefined;
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

  #assertReady(): void {
    if (this.#state === 'unreachable') throw new NotConnected();
    if (this.#state === 'stranger') throw this.#mismatch('another one');
    if (this.#state === 'unfit') throw new UnfitAcceptor(this.#flaws);
  }

  #assertIdentity(present: string | null): void {
    if (present !== this.#identity) throw this.#mismatch(present ?? '');
  }

  #refusal(verdict: string | undefined, other: string): Conflict {
    if (verdict === 'stranger') throw this.#mismatch(other);
    return { ok: false, conflict: parseBallot(other) };
  }

  /** Stays so until the next connection: without its registers it has nothing to say. */
  #mismatch(present: string | undefined): StrangerError {
    if (this.#names.misled(parseAddress(this.address).host, this.redis.stream)) {
      this.redis.disconnect(true);
    } else {
      if (this.#state !== 'stranger') this.#wentBack = wentBack(present);
      this.#become('stranger', this.#wentBack?.text);
    }
    return new StrangerError(strangerText(present, this.#identity));
  }
}

/** The empty register is stored as "", which no value is. */
function accepted(ballot: string | null | undefined, value: string | null | undefined): Accepted {
  return { ballot: parseBallot(ballot ?? ''), value: value === '' ? null : (value ?? null) };
}
