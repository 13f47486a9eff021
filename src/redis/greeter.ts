import type { Redis } from 'ioredis';
import { formatBallot, ZERO_BALLOT } from '../protocol/ballot.js';
import { type Greeted, type Greeting, type Introduction, Witness } from '../store/greeting.js';
import { BEATS_KEY, ERAS_KEY, FLOOR_KEY, IDENTITY_KEY, REGISTER_PREFIX } from './keys.js';

type Greet = (...keysAndArguments: (string | number)[]) => Promise<[verdict: string, other: string]>;

export interface GreetingRedis extends Redis {
  readonly casGreet: Greet;
  /** The same, written although the memory is full: it takes some bytes, where a collection gives back many. */
  readonly casGreetFull: Greet;
}

/** What an operator should know of an acceptor that is greeted no better than before there were beats. */
const NOT_ALLOWED =
  'its users may not touch "beats" and "eras": if its disk goes back in time, nobody notices. Start it again with the present users.acl';

/** Greets one acceptor over its connection. */
export class Greeter {
  readonly #redis: GreetingRedis;
  readonly #witness: Witness;
  readonly confirmed: Witness['confirmed'];

  constructor(redis: GreetingRedis, identity: string, introduction: Introduction) {
    this.#redis = redis;
    this.#witness = new Witness(identity, introduction);
    this.confirmed = this.#witness.confirmed.bind(this.#witness);
  }

  /** @returns what it answered, and what an operator should know of it */
  async greet(): Promise<{ readonly greeted: Greeted; readonly caution?: string }> {
    try {
      return { greeted: await this.#witness.greet((greeting) => sendGreeting(this.#redis, greeting), Date.now()) };
    } catch (error) {
      // An acceptor that was started with the users of an earlier version.
      if (!(error instanceof Error && error.message.startsWith('NOPERM'))) throw error;
      const identity = (await this.#redis.get(IDENTITY_KEY)) ?? undefined;
      const isMeant = identity === this.#witness.identity;
      return { greeted: isMeant ? { kind: 'ok', beats: 0 } : { kind: 'stranger', identity }, caution: NOT_ALLOWED };
    }
  }
}

/** Puts a greeting to `acceptor/greet.lua`. */
export async function sendGreeting(redis: GreetingRedis, greeting: Greeting): Promise<Greeted> {
  const { identity, beats, confirmed, marked, proposer, era, isCounting } = greeting;
  const message = [
    ...[IDENTITY_KEY, BEATS_KEY, ERAS_KEY, REGISTER_PREFIX + (confirmed?.key ?? ''), FLOOR_KEY],
    ...[identity, beats, formatBallot(confirmed?.promise ?? ZERO_BALLOT), marked, proposer, era, isCounting ? 'count' : 'look'],
  ];
  let [kind, other] = await redis.casGreet(...message);
  if (kind === 'full') [kind, other] = await redis.casGreetFull(...message);
  if (kind === 'ok' || kind === 'told') return { kind, beats: Number(other) };
  if (kind === 'old') return { kind, era: Number(other) };
  if (kind === 'back' || kind === 'stranger') return { kind, identity: other || undefined };
  throw new Error('this is no answer to a greeting');
}
