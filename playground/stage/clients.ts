import type { Store } from '../../src/store/store.js';
import { type ClientOutcome, type History, type Request, stateToldTo } from '../../verification/checkers/history.js';
import { outcomeOf, refusalOf } from '../../verification/simulation/store-operation.js';
import { answerText, type ClientAsks, askedText, NoNumber, perform } from '../../verification/transcripts/asked.js';
import { failureText } from '../../verification/transcripts/wording.js';

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

/** Clients, one at each proposer. They ask whatever they are told to, and note every invocation and response. */
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
  ask(proposer: string, store: Store, asked: ClientAsks): void {
    const { key } = asked;
    const request = this.#requestOf(asked);
    const text = askedText(asked);
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
    perform(store, asked).then(
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

  #requestOf(asked: ClientAsks): Request {
    if (asked.kind === 'cas') return { kind: 'cas', ver: asked.ver, val: asked.val, onto: this.#toldOf(asked.key, asked.ver) };
    if (asked.kind === 'add') return { kind: 'add', val: String(asked.by), ...(asked.name !== undefined && { name: asked.name }) };
    return { kind: asked.kind };
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

/** Checkers know words only: a number is the word that it is written with. */
function inWords(outcome: ClientOutcome): ClientOutcome {
  if (outcome.kind !== 'state' && outcome.kind !== 'written') return outcome;
  const val: unknown = outcome.val;
  return typeof val === 'number' ? { ...outcome, val: String(val) } : outcome;
}
