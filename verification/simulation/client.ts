import type { Versioned } from '../../src/store/versioned.js';
import { oneOf, type Random } from '../../client/random.js';
import { sleep } from '../../src/protocol/time.js';
import { OutcomeForgotten } from '../../src/store/errors.js';
import { type ClientOutcome, type History, type Request, type State, stateToldTo, type WriteRequest } from '../checkers/history.js';
import type { Network } from './network.js';
import { Process } from './process.js';
import type { ProposerNode, Running } from './proposer-node.js';
import { asWrite, outcomeOf, refusalOf } from './store-operation.js';
import type { VirtualTime } from './virtual-time.js';

/** Longer than a proposer takes for any answer of its own. */
const REQUEST_TIMEOUT_MS = 1_000;

/** How much longer a client waits for each time in a row that it was refused, up to so many. */
const PAUSE_MS = 10;
const REFUSALS_COUNTED = 8;

/** The share of operations that wait for others of their key and share a round with them; the rest is refused where one is under way. */
const PATIENT = 0.5;

/** Where clients do more than compare-and-set: the share of writes that have a name; of turns in which one of these is sent again whose outcome is open. */
const NAMED = 0.5;
const REPEATED = 0.5;
/** Of named writes: those that are sent through two proposers at once, and those that are sent again although the outcome is known. */
const DOUBLED = 0.1;
const ASKED_AGAIN = 0.2;
/** Of writes over a key that was deleted: those that expect the version of the deletion, as if the key existed. */
const MISTAKEN = 0.1;
/** How often one is sent at most. */
const SENT_MAX = 6;
/** Of the changes that expect nothing: appends, and deletions; the others set a value whatever there is. */
const APPENDS = 0.45;
const DELETIONS = 0.35;

/** A write under a name that may be sent again. */
interface Named {
  readonly key: string;
  readonly request: WriteRequest;
  readonly since: number;
  sent: number;
}

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
  /** The share of writes that change the key whatever it holds, or delete it, from 0 to 1; 0: only compare-and-set, and no write has a name. */
  readonly changes: number;
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
  readonly #seen = new Map<string, State>();
  /** The highest version of each key that it was told of. */
  readonly #known = new Map<string, number>();
  readonly #open: Named[] = [];
  /** Those whose outcome nobody can tell any more; with the version that the key is at. */
  readonly #forgotten = new Map<Request, number>();
  #writes = 0;
  #refusals = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#process = new Process(options.time);
  }

  async run(): Promise<void> {
    const { random, keys, proposers, thinkMs, take, turn } = this.#options;
    while (take()) {
      await turn();
      await sleep(this.#process.time, random() * (thinkMs + this.#refusals * PAUSE_MS));
      const [key, proposer] = [oneOf(this.#options.random, keys), oneOf(this.#options.random, proposers)];
      const outcome = await this.operate(proposer, key);
      this.#refusals = outcome.kind === 'refused' ? Math.min(this.#refusals + 1, REFUSALS_COUNTED) : 0;
    }
  }

  /** A read or a write, as chance has it; or once more a write whose outcome is open. */
  operate(proposer: ProposerNode, key: string): Promise<ClientOutcome> {
    const { random, reads } = this.#options;
    const open = this.#open.length > 0 && random() < REPEATED ? this.#open.shift() : undefined;
    if (open) return this.#sendNamed(proposer, open);
    return random() < reads ? this.get(proposer, key) : this.#write(proposer, key);
  }

  /**
   * Sends every write whose outcome is open once more, until it is known, or forgotten.
   * @returns those that nobody tells the outcome of, although nothing is lost any more
   */
  async finish(pauseMs: number, attempts: number): Promise<{ key: string; name: string }[]> {
    const { proposers } = this.#options;
    const silent: { key: string; name: string }[] = [];
    for (const { key, request, since } of this.#open.splice(0)) {
      let isKnown = false;
      for (let attempt = 0; attempt < attempts && !isKnown; attempt += 1) {
        if (attempt > 0) await sleep(this.#process.time, pauseMs);
        const outcome = await this.#send(oneOf(this.#options.random, proposers), key, request, since);
        isKnown = outcome.kind === 'written' || outcome.kind === 'state' || this.#forgotten.has(request);
      }
      if (!isKnown) silent.push({ key, name: request.name ?? '' });
    }
    return silent;
  }

  /** Deletes the key, whatever it holds. */
  delete(proposer: ProposerNode, key: string): Promise<ClientOutcome> {
    return this.#send(proposer, key, { kind: 'delete' });
  }

  /** @param by `quorum`: by a round only if the quorum does not agree, as most clients want it */
  async get(proposer: ProposerNode, key: string, by: 'quorum' | 'round' = 'quorum'): Promise<ClientOutcome> {
    const wait = this.#options.random() < PATIENT && by === 'quorum';
    return this.#request(proposer, key, { kind: 'get' }, ({ store }) => store.get(key, { wait }));
  }

  async #write(proposer: ProposerNode, key: string): Promise<ClientOutcome> {
    const { random, changes, proposers } = this.#options;
    const request = this.#nextWrite(key);
    if (changes === 0 || random() >= NAMED) return this.#send(proposer, key, request);
    const name = `${this.#options.name}#${(this.#writes += 1)}`;
    const named = { key, request: { ...request, name }, since: this.#known.get(key) ?? 0, sent: 0 };
    const isDoubled = random() < DOUBLED;
    if (isDoubled) void this.#send(oneOf(this.#options.random, proposers), key, named.request, named.since);
    return this.#sendNamed(proposer, named);
  }

  #nextWrite(key: string): WriteRequest {
    const { name, random, changes } = this.#options;
    const { ver: seenVer, val: onto } = this.#seen.get(key) ?? { ver: 0, val: null };
    const isMistaken = changes > 0 && onto === null && random() < MISTAKEN;
    const ver = onto === null && !isMistaken ? 0 : seenVer;
    const val = `${name}.${(this.#writes += 1)}`;
    if (changes === 0 || random() >= changes) return { kind: 'cas', ver, val, onto };
    const dice = random();
    if (dice < APPENDS) return { kind: 'append', val };
    if (dice >= APPENDS + DELETIONS) return { kind: 'set', val };
    return { kind: 'delete', ...(ver > 0 && random() < 0.5 && { ver }) };
  }

  /** Keeps it for later if it is to be sent again. */
  async #sendNamed(proposer: ProposerNode, named: Named): Promise<ClientOutcome> {
    named.sent += 1;
    const outcome = await this.#send(proposer, named.key, named.request, named.since);
    const isKnown = outcome.kind === 'written' || outcome.kind === 'state';
    const isForgotten = this.#forgotten.has(named.request);
    if (named.sent < SENT_MAX && !isForgotten && (!isKnown || this.#options.random() < ASKED_AGAIN)) this.#open.push(named);
    return outcome;
  }

  #send(proposer: ProposerNode, key: string, request: WriteRequest, since?: number): Promise<ClientOutcome> {
    const wait = this.#options.random() < PATIENT;
    return this.#request(proposer, key, request, ({ store }) => store.write(key, asWrite(request, since), { wait }));
  }

  async #request(proposer: ProposerNode, key: string, request: Request, act: (to: Running) => Promise<Versioned>): Promise<ClientOutcome> {
    const { name, network, history } = this.#options;
    const settle = history.invoke(name, key, request);
    const answer = network.call<ClientOutcome>({
      caller: this.#process,
      from: name,
      to: proposer.name,
      act: async () => {
        // Not rejected where the process dies meanwhile: then nobody answers.
        return act(proposer.running).then(
          (answered) => outcomeOf(request, answered),
          (error: unknown) => {
            if (error instanceof OutcomeForgotten) this.#forgotten.set(request, Number(error.details['since']));
            return refusalOf(error);
          },
        );
      },
      request: () => requestText(key, request),
      reply: outcomeText,
    });
    const outcome = await this.#inTime(answer, request.kind !== 'get');
    this.#note(key, this.#forgotten.get(request) ?? 0);
    const operation = settle(outcome);
    const told = stateToldTo(operation);
    if (told) this.#note(key, told.ver);
    if (told?.val !== undefined) this.#seen.set(key, { ver: told.ver, val: told.val });
    return outcome;
  }

  #note(key: string, ver: number): void {
    this.#known.set(key, Math.max(this.#known.get(key) ?? 0, ver));
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

/** What is asked, in a few words. */
export function requestText(key: string, request: Request): string {
  const more = request.kind === 'get' ? [] : ['ver' in request ? request.ver : '', 'val' in request ? request.val : '', asNamed(request)];
  return [request.kind, key, ...more].filter((word) => word !== '').join(' ');
}

function asNamed({ name }: WriteRequest): string {
  return name === undefined ? '' : `as ${name}`;
}

export function outcomeText(outcome: ClientOutcome): string {
  if (outcome.kind !== 'state' && outcome.kind !== 'written') return outcome.kind;
  const { ver, val } = outcome;
  const held = `version ${ver}${val === undefined ? '' : val !== null ? ` ${val}` : ver > 0 ? ', deleted' : ''}`;
  return outcome.kind === 'state' ? held : `written, ${held}`;
}
