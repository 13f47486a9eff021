import { oneOf, type Random } from '../../client/random.js';
import { PROPOSERS } from '../../local/layout.js';
import { sleep, type Time } from '../../src/protocol/time.js';
import type { Request } from '../checkers/history.js';
import { type ChaosKey, KEYS, rests } from './key-kinds.js';
import type { Asked, NextWrite } from './next-write.js';
import type { Requests, Learned } from './requests.js';

/** Of all turns that begin with a read: those that are no more than that. */
const READ_SHARE = 0.25;
/** Of writes: those that have a name. */
const NAMED_SHARE = 0.5;
/** Of turns: those in which a write under a name is sent again, if there is one to be. */
const REPEAT_SHARE = 0.5;
/** Of writes under a name: those that are sent again although the outcome is known. */
const AGAIN_SHARE = 0.15;
/** After a request that brought nothing. */
const PAUSE_MS = 50;
/** After any other: the machine is also for the cluster. */
const THINK_MS_MAX = 10;

/** How often writes were sent again under their names. */
export interface Repeats {
  /** Since their outcome was not known, and of these those that brought it. */
  unknown: number;
  resolved: number;
  /** Although it was known. */
  known: number;
  /** Writes of which nobody could tell any more what had become of them. */
  forgotten: number;
}

/** A write that is to be sent again. */
interface Open {
  readonly asked: Asked;
  readonly isKnown: boolean;
  /** The proposer that was asked last. */
  readonly proposer: string;
}

interface ClientLoopOptions {
  readonly client: string;
  /** Those that it sends to; what it repeats goes to the other one. */
  readonly asks: readonly string[];
  readonly requests: Requests;
  readonly writes: NextWrite;
  readonly random: Random;
  readonly time: Time;
  readonly repeats: Repeats;
}

/** One client: reads and writes the keys, one request after the other, and sends again what it does not know the outcome of. */
export class ClientLoop {
  readonly #options: ClientLoopOptions;
  readonly #open: Open[] = [];
  /** The highest version of each key that it was told of. */
  readonly #known = new Map<ChaosKey, number>();
  readonly #leftAlone = new Set<ChaosKey>();
  #writes = 0;

  constructor(options: ClientLoopOptions) {
    this.#options = options;
  }

  /** Resolves when the last request has ended. Rejects with `ImpossibleAnswer`. */
  async run(stop: AbortSignal): Promise<void> {
    const { random, time } = this.#options;
    while (!stop.aborted) {
      const open = this.#open.length > 0 && random() < REPEAT_SHARE ? this.#takeOpen() : undefined;
      const { outcome } = open ? await this.#repeat(open) : await this.#readAndWrite();
      await sleep(time, outcome.kind === 'refused' || outcome.kind === 'unknown' ? PAUSE_MS : random() * THINK_MS_MAX);
    }
  }

  /** Sends again what is still open, when all is mended. @returns those of which nobody says what became of them */
  async finish(deadlineMs: number): Promise<string[]> {
    const { time } = this.#options;
    for (;;) {
      const open = this.#open.splice(0).filter(({ isKnown }) => !isKnown);
      if (open.length === 0 || time.nowMs() > deadlineMs) return open.map(({ asked }) => String(asked.request.name));
      for (const one of open) await this.#repeat(one);
      await sleep(time, PAUSE_MS);
    }
  }

  async #readAndWrite(): Promise<Learned> {
    const { client, asks, writes, random, time } = this.#options;
    const proposer = oneOf(random, asks);
    const possible = KEYS.filter((one) => !this.#isLeftAlone(one));
    const key = oneOf(random, possible);
    const read = await this.#send(proposer, { key, request: { kind: 'get' } });
    if (!read.seen || random() < READ_SHARE) return read;
    this.#writes += 1;
    const isResting = rests(key, time.nowMs());
    if (isResting && read.seen.val === null) this.#leftAlone.add(key);
    const asked = writes.take(key, `${client}.${this.#writes}`, read.seen, isResting);
    if (!asked) return read;
    if (random() >= NAMED_SHARE) return this.#send(proposer, asked);
    const named = { ...asked, request: { ...asked.request, name: `${client}#${this.#writes}` }, since: this.#known.get(key) ?? 0 };
    return this.#keep(named, proposer, await this.#send(proposer, named));
  }

  /** The first that is to be sent again; of keys that rest only such of which the outcome is not known. */
  #takeOpen(): Open | undefined {
    const index = this.#open.findIndex(({ asked, isKnown }) => !isKnown || !this.#isLeftAlone(asked.key));
    return index < 0 ? undefined : this.#open.splice(index, 1)[0];
  }

  /** Whether a key rests that this client has seen to be deleted. */
  #isLeftAlone(key: ChaosKey): boolean {
    if (!rests(key, this.#options.time.nowMs())) this.#leftAlone.delete(key);
    return this.#leftAlone.has(key);
  }

  async #repeat({ asked, isKnown, proposer: last }: Open): Promise<Learned> {
    const { repeats } = this.#options;
    const proposer = PROPOSERS.find((name) => name !== last) ?? last;
    const told = await this.#send(proposer, asked, !isKnown);
    repeats[isKnown ? 'known' : 'unknown'] += 1;
    if (!isKnown && isTold(told)) repeats.resolved += 1;
    return this.#keep(asked, proposer, told);
  }

  /** Keeps a write to be sent again, if it is to be. */
  #keep(asked: Asked, proposer: string, told: Learned): Learned {
    const { random, repeats } = this.#options;
    const isKnown = isTold(told);
    if (told.isForgotten) repeats.forgotten += 1;
    else if (!isKnown || random() < AGAIN_SHARE) this.#open.push({ asked, isKnown, proposer });
    return told;
  }

  async #send(proposer: string, asked: Asked<Request>, isCounted = true): Promise<Learned> {
    const { client, requests } = this.#options;
    const told = await requests.send(client, proposer, asked, isCounted);
    this.#known.set(asked.key, Math.max(this.#known.get(asked.key) ?? 0, told.ver));
    return told;
  }
}

/** Whether the client knows what became of its write, or of the key. */
function isTold({ outcome }: Learned): boolean {
  return outcome.kind === 'written' || outcome.kind === 'state';
}
