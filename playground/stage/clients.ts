import type { Store } from '../../src/store/store.js';
import type { Versioned } from '../../src/store/versioned.js';
import type { ClientOutcome, History, Request } from '../../verification/checkers/history.js';
import { stateToldTo } from '../../verification/checkers/state.js';
import { outcomeOf, refusalOf } from '../../verification/simulation/store-operation.js';
import { failureText, stateText } from '../../verification/transcripts/wording.js';
import type { ClientAsks } from './choice.js';

/** An operation as its client sees it. */
export interface Performance {
  readonly proposer: string;
  readonly key: string;
  readonly text: string;
  /** The moves at which it began and ended. */
  readonly beganAt: number;
  endedAt?: number;
  answer?: string;
}

/** StageClients, one at each proposer. They ask whatever they are told to, and note every invocation and response. */
export class StageClients {
  readonly performances: Performance[] = [];
  readonly #history: History;
  readonly #now: () => number;
  readonly #say: (line: string) => void;
  /** Ends those that run, by their numbers. */
  readonly #running = new Map<number, (outcome: ClientOutcome, answer: string) => void>();

  /** @param now the number of the present move */
  constructor(history: History, now: () => number, say: (line: string) => void) {
    this.#history = history;
    this.#now = now;
    this.#say = say;
  }

  /** Begins an operation and returns. Throws while the proposer is down. */
  ask(proposer: string, store: Store, key: string, asked: ClientAsks): void {
    const request = this.#requestOf(key, asked);
    const text = textOf(key, asked);
    const settle = this.#history.invoke(`client ${proposer.slice(1)}`, key, request);
    const performance: Performance = { proposer, key, text, beganAt: this.#now() };
    const number = this.performances.push(performance) - 1;
    const end = (outcome: ClientOutcome, answer: string): void => {
      if (!this.#running.delete(number)) return;
      settle(outcome);
      performance.endedAt = this.#now();
      performance.answer = answer;
      this.#say(`${proposer} ${text} => ${answer}`);
    };
    this.#running.set(number, end);
    perform(store, key, asked).then(
      (versioned) => end(inWords(outcomeOf(request, versioned)), answerText(asked, versioned)),
      (error: unknown) => end(inWords(refusalOf(error)), error instanceof NoNumber ? `not done: ${error.message}` : failureText(error)),
    );
  }

  /** Nobody answers any more whom a proposer that died would have answered. */
  abandon(proposer: string): void {
    for (const [number, end] of [...this.#running]) {
      const performance = this.performances[number];
      if (performance?.proposer !== proposer) continue;
      const isRead = this.#history.operations[number]?.request.kind === 'get';
      end({ kind: isRead ? 'refused' : 'unknown' }, `no answer: ${proposer} died`);
    }
  }

  #requestOf(key: string, asked: ClientAsks): Request {
    if (asked.kind === 'cas') return { kind: 'cas', ver: asked.ver, val: asked.val, onto: this.#toldOf(key, asked.ver) };
    if (asked.kind === 'add') return { kind: 'add', val: String(asked.by), ...(asked.name !== undefined && { name: asked.name }) };
    return asked;
  }

  /** What some client was told of a version. */
  #toldOf(key: string, ver: number): string | null {
    for (const operation of this.#history.of(key)) {
      const told = stateToldTo(operation);
      if (told?.ver === ver && told.val !== undefined) return told.val;
    }
    return null;
  }
}

/** To a word nothing can be added. */
class NoNumber extends Error {}

function perform(store: Store, key: string, asked: ClientAsks): Promise<Versioned> {
  switch (asked.kind) {
    case 'get':
      return store.get(key);
    case 'cas':
      return store.cas(key, asked.ver, asked.val);
    case 'delete':
      return store.delete(key);
    case 'add': {
      const { by, name } = asked;
      const change = (val: unknown): number => {
        if (typeof val === 'string') throw new NoNumber(`${JSON.stringify(val)} is no number`);
        return Number(val ?? 0) + by;
      };
      return store.write(key, { change, ...(name !== undefined && { name: { name, print: `add ${by}` } }) });
    }
  }
}

/** Checkers know words only: a number is the word that it is written with. */
function inWords(outcome: ClientOutcome): ClientOutcome {
  if (outcome.kind !== 'state' && outcome.kind !== 'written') return outcome;
  const val: unknown = outcome.val;
  return typeof val === 'number' ? { ...outcome, val: String(val) } : outcome;
}

function textOf(key: string, asked: ClientAsks): string {
  if (asked.kind === 'cas') return `cas ${key} ${asked.ver} ${JSON.stringify(asked.val)}`;
  if (asked.kind === 'add') return `add ${key} ${asked.by}${asked.name === undefined ? '' : ` as ${asked.name}`}`;
  return `${asked.kind} ${key}`;
}

function answerText({ kind }: ClientAsks, versioned: Versioned): string {
  if (kind === 'cas') return `written, version ${versioned.ver}`;
  if (kind === 'delete') return `deleted, version ${versioned.deletedVer}`;
  return kind === 'get' ? stateText(versioned) : `done: ${stateText(versioned)}`;
}
