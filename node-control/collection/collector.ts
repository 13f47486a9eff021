import { sleep, type Time } from '../../src/protocol/time.js';
import { ControlError } from '../safety/objection.js';
import type { Progress } from '../terminal/progress.js';

/** After a collection that was not possible, or gave way: long before the next one is due. */
const RETRY_MS = 60_000;

/** What the progress of a collection throws that is to end: it may end anywhere. */
class Ended extends ControlError {}

/** How the service collects by itself. */
export interface CollectorOptions {
  /** Collects once. What `show` throws ends it. Returns what it did, as the command prints it. */
  readonly collect: (progress: Pick<Progress, 'show'>) => Promise<string[]>;
  /** From the start, and from the end of each collection, to the next one. */
  readonly everyMs: number;
  readonly time: Time;
  /** Whether a command has its turn. */
  readonly isTurnTaken: () => boolean;
  /** Is given a line for the log, unless the one before said the same. */
  readonly say: (line: string) => void;
}

/** Collects again and again, one collection at a time. */
export class Collector {
  readonly #options: CollectorOptions;
  #present: Promise<boolean> | undefined;
  #isEnding = false;
  #isStopped = false;
  #said: string | undefined;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Ends after {@link stop}. Never rejects: whatever hinders a collection, the page is served on. */
  async run(): Promise<void> {
    const { everyMs, time, isTurnTaken } = this.#options;
    let isDone = true;
    for (;;) {
      await sleep(time, isDone ? everyMs : Math.min(everyMs, RETRY_MS));
      if (this.#isStopped) return;
      this.#present = isTurnTaken() ? Promise.resolve(false) : this.#collect();
      isDone = await this.#present;
    }
  }

  /** Ends the collection that is under way, if there is one. Resolves when it has. */
  async giveWay(): Promise<void> {
    this.#isEnding = true;
    await this.#present;
  }

  /** The same, and none is begun any more. */
  stop(): Promise<void> {
    this.#isStopped = true;
    return this.giveWay();
  }

  /** @returns whether it came to its end */
  async #collect(): Promise<boolean> {
    this.#isEnding = false;
    try {
      this.#say(`collection: ${(await this.#options.collect({ show: () => this.#goOn() })).join('; ')}`);
      return true;
    } catch (error) {
      if (error instanceof Ended) this.#say(error.message);
      else if (error instanceof ControlError) this.#say(`no collection: ${error.message}. It is tried again by itself`);
      else this.#say(`no collection: ${String(error instanceof Error ? error.stack : error)}`);
      return false;
    }
  }

  #goOn(): void {
    if (this.#isEnding) throw new Ended(this.#isStopped ? 'a collection was ended' : 'a collection gave way to a command');
  }

  #say(line: string): void {
    if (line !== this.#said) this.#options.say(line);
    this.#said = line;
  }
}
