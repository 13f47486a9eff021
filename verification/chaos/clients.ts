import type { Versioned } from '../../src/store/versioned.js';
import { forkedFrom, type Random } from '../../client/random.js';
import { within } from '../../client/within.js';
import { PROPOSERS } from '../../local/layout.js';
import type { History, ClientOutcome } from '../checkers/history.js';
import { type Answer, KeyValueClient, NetworkError } from '../../src/http/client.js';
import { sleep, type Time } from '../../src/protocol/time.js';
import { type Asked, outcomeOf } from './outcome.js';

/** Few, so that the clients meet. */
export const KEYS: readonly string[] = ['chaos-1', 'chaos-2', 'chaos-3', 'chaos-4'];
/** Clients that ask this proposer only: one that hangs cannot hold up all of them at once. Two more ask any. */
const FAITHFUL_CLIENTS = 2;
const ROAMING_CLIENTS = 2;
/** Of all turns: those that only read. */
const READ_SHARE = 0.25;
/** A proposer that hangs is given up after this long; a write is then unknown. */
const REQUEST_TIMEOUT_MS = 1_000;
/** After a request that brought nothing. */
const PAUSE_MS = 50;
/** After any other: the machine is also for the cluster. */
const THINK_MS_MAX = 10;

/** Called at the end of each operation. */
export type OnOutcome = (request: Asked, outcome: ClientOutcome) => void;

interface ClientsOptions {
  readonly addressOf: (proposer: string) => string;
  readonly history: History;
  readonly time: Time;
  readonly random: Random;
  readonly onOutcome: OnOutcome;
}

/** What a key held in the end. */
export interface Final {
  readonly ver: number;
  readonly val: string | null;
}

/** Closed loops that read and write the keys, and record what they were told. */
export class Clients {
  readonly #options: ClientsOptions;
  readonly #proposers: ReadonlyMap<string, KeyValueClient>;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#proposers = new Map(PROPOSERS.map((name) => [name, new KeyValueClient(options.addressOf(name))]));
  }

  /** Resolves when every loop has ended its last request. Rejects with `ImpossibleAnswer`. */
  async run(stop: AbortSignal): Promise<void> {
    const { random } = this.#options;
    const faithful = PROPOSERS.flatMap((name) =>
      Array.from({ length: FAITHFUL_CLIENTS }, (_, at) => ({ client: `${name}/${at + 1}`, asks: [name] })),
    );
    const roaming = Array.from({ length: ROAMING_CLIENTS }, (_, at) => ({ client: `any/${at + 1}`, asks: PROPOSERS }));
    await Promise.all([...faithful, ...roaming].map(({ client, asks }) => this.#loop(client, asks, forkedFrom(random), stop)));
  }

  /**
   * Reads every key through every proposer.
   * @returns what each key held, by the last read, and what could not be read
   */
  async readAll(deadlineMs: number): Promise<{ finals: Map<string, Final>; unread: string[] }> {
    const finals = new Map<string, Final>();
    const unread: string[] = [];
    for (const key of KEYS) {
      for (const proposer of PROPOSERS) {
        const outcome = await this.#readUntil(proposer, key, deadlineMs);
        if (outcome.kind === 'state') finals.set(key, { ver: outcome.ver, val: outcome.val });
        else unread.push(`${key} through ${proposer}`);
      }
    }
    return { finals, unread };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proposers.values()].map((client) => client.close()));
  }

  async #loop(client: string, asks: readonly string[], random: Random, stop: AbortSignal): Promise<void> {
    const { time } = this.#options;
    for (let turn = 1; !stop.aborted; turn += 1) {
      const proposer = asks[Math.floor(random() * asks.length)] ?? '';
      const key = KEYS[Math.floor(random() * KEYS.length)] ?? '';
      const onlyReads = random() < READ_SHARE;
      const read = await this.#send(client, proposer, key, { kind: 'get' });
      let last = read;
      if (read.kind === 'state' && !onlyReads) {
        last = await this.#send(client, proposer, key, { kind: 'cas', ver: read.ver, val: `${client}.${turn}`, onto: read.val });
      }
      await sleep(time, last.kind === 'refused' || last.kind === 'unknown' ? PAUSE_MS : random() * THINK_MS_MAX);
    }
  }

  async #readUntil(proposer: string, key: string, deadlineMs: number): Promise<ClientOutcome> {
    const { time } = this.#options;
    for (;;) {
      const outcome = await this.#send('final', proposer, key, { kind: 'get' });
      if (outcome.kind === 'state' || time.nowMs() > deadlineMs) return outcome;
      await sleep(time, PAUSE_MS);
    }
  }

  async #send(client: string, proposer: string, key: string, request: Asked): Promise<ClientOutcome> {
    const { history, time, onOutcome } = this.#options;
    const returned = history.invoke(client, key, request);
    const answer = await within(time, REQUEST_TIMEOUT_MS, this.#ask(proposer, key, request));
    const outcome = outcomeOf(request, answer);
    returned(outcome);
    onOutcome(request, outcome);
    return outcome;
  }

  /** Undefined where no answer came. */
  async #ask(proposer: string, key: string, request: Asked): Promise<Answer<Versioned> | undefined> {
    const client = this.#proposers.get(proposer);
    if (!client) throw new TypeError(`no such proposer: ${proposer}`);
    try {
      return await (request.kind === 'get' ? client.get(key) : client.put(key, request.ver, request.val));
    } catch (error) {
      if (error instanceof NetworkError) return undefined;
      throw error;
    }
  }
}
