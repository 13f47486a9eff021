import { VersionMismatch } from '../../src/store/errors.js';
import type { Versioned } from '../../src/store/versioned.js';
import type { Random } from '../../client/random.js';
import { CommitError } from '../../src/protocol/errors.js';
import { sleep } from '../../src/protocol/time.js';
import type { History, ClientOutcome, Request } from '../checkers/history.js';
import type { Network } from './network.js';
import { Process } from './process.js';
import type { ProposerNode, Running } from './proposer-node.js';
import type { VirtualTime } from './virtual-time.js';

/** Longer than a proposer takes for any answer of its own. */
const REQUEST_TIMEOUT_MS = 1_000;

/** How much longer a client waits for each time in a row that it was refused, up to so many. */
const PAUSE_MS = 10;
const REFUSALS_COUNTED = 8;

/** The share of operations that wait for others of their key and share a round with them; the rest is refused where one is under way. */
const PATIENT = 0.5;

export interface ClientOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: Network;
  readonly history: History;
  readonly proposers: readonly ProposerNode[];
  readonly keys: readonly string[];
  /** The share of reads, from 0 to 1. */
  readonly reads: number;
  /** The longest pause between two operations, in milliseconds. */
  readonly thinkMs: number;
  /** Takes one operation from those that the run has to do; false where none is left. */
  readonly take: () => boolean;
  /** Settles when it is time for the next one: there may be something that it would come too early for. */
  readonly turn: () => Promise<void>;
}

/** Reads and writes random keys through random proposers, and notes every invocation and response. */
export class Client {
  readonly #options: ClientOptions;
  readonly #process: Process;
  /** The last state of each key that this client was told. */
  readonly #seen = new Map<string, { ver: number; val: string | null }>();
  #writes = 0;
  #refusals = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#process = new Process(options.time);
  }

  async run(): Promise<void> {
    const { random, keys, proposers, thinkMs, take, turn } = this.#options;
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
    while (take()) {
      await turn();
      await sleep(this.#process.time, random() * (thinkMs + this.#refusals * PAUSE_MS));
      const [key, proposer] = [pick(keys), pick(proposers)];
      const outcome = await this.operate(proposer, key);
      this.#refusals = outcome.kind === 'refused' ? Math.min(this.#refusals + 1, REFUSALS_COUNTED) : 0;
    }
  }

  /** A read or a write, as chance has it. */
  operate(proposer: ProposerNode, key: string): Promise<ClientOutcome> {
    const { random, reads } = this.#options;
    return random() < reads ? this.get(proposer, key) : this.#write(proposer, key);
  }

  /** @param by `quorum`: by a round only if the quorum does not agree, as most clients want it */
  async get(proposer: ProposerNode, key: string, by: 'quorum' | 'round' = 'quorum'): Promise<ClientOutcome> {
    const wait = this.#options.random() < PATIENT && by === 'quorum';
    return this.#request(proposer, key, { kind: 'get' }, ({ store }) => store.get(key, { wait }));
  }

  #write(proposer: ProposerNode, key: string): Promise<ClientOutcome> {
    const { ver, val: onto } = this.#seen.get(key) ?? { ver: 0, val: null };
    const val = `${this.#options.name}.${(this.#writes += 1)}`;
    const wait = this.#options.random() < PATIENT;
    return this.#request(proposer, key, { kind: 'cas', ver, val, onto }, ({ store }) => store.cas(key, ver, val, { wait }));
  }

  async #request(proposer: ProposerNode, key: string, request: Request, act: (to: Running) => Promise<Versioned>): Promise<ClientOutcome> {
    const { name, network, history } = this.#options;
    const isWrite = request.kind === 'cas';
    const settle = history.invoke(name, key, request);
    const answer = network.call<ClientOutcome>({
      caller: this.#process,
      from: name,
      to: proposer.name,
      act: async () => {
        // Not rejected where the process dies meanwhile: then nobody answers.
        return act(proposer.running).then((state) => (isWrite ? { kind: 'written' } : stateOf(state)), refusalOf);
      },
      request: () => (isWrite ? `cas ${key} ${request.ver} ${request.val}` : `get ${key}`),
      reply: outcomeText,
    });
    const outcome = await this.#inTime(answer, isWrite);
    settle(outcome);
    if (outcome.kind === 'state') this.#seen.set(key, outcome);
    if (outcome.kind === 'written' && isWrite) this.#seen.set(key, { ver: request.ver + 1, val: request.val });
    return outcome;
  }

  /** No answer: what became of a write is unknown, and a read told nothing. */
  #inTime(answer: Promise<ClientOutcome>, isWrite: boolean): Promise<ClientOutcome> {
    return new Promise((resolve) => {
      const giveUp = (): void => resolve(isWrite ? { kind: 'unknown' } : { kind: 'refused' });
      const cancel = this.#process.time.after(REQUEST_TIMEOUT_MS, giveUp);
      void answer.then(resolve, giveUp).finally(cancel);
    });
  }
}

function stateOf({ ver, val }: Versioned): ClientOutcome {
  return { kind: 'state', ver, val: val as string | null };
}

/** As HTTP has it: 409 tells the present state, 504 is unknown, all else was certainly not applied. */
function refusalOf(error: unknown): ClientOutcome {
  if (error instanceof VersionMismatch) return stateOf(error.details as unknown as Versioned);
  if (error instanceof CommitError) return { kind: 'unknown' };
  return { kind: 'refused' };
}

export function outcomeText(outcome: ClientOutcome): string {
  return outcome.kind === 'state' ? `version ${outcome.ver}${outcome.val === null ? '' : ` ${outcome.val}`}` : outcome.kind;
}
