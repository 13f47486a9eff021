import type { Random } from '../../client/random.js';
import type { Time } from '../../src/protocol/time.js';

/** When clients stop in any case, in milliseconds of virtual time: with enough crashes a step may never find every proposer up. */
const LIFE_MS = 20_000;

/** How many operations the clients may be ahead of the operator: enough for a step that is under way, or that has to be repeated. */
const AHEAD = 10;

export interface ScheduleOptions {
  readonly time: Time;
  readonly random: Random;
  /** See `Settings`. */
  readonly operations: number;
  readonly stopAfter: number;
  readonly haste: number;
  /** How many commands the operator types. */
  readonly commands: number;
}

/**
 * Spreads the operator's commands over the operations of a run, some of them in a row: the operator waits for the clients to come so far,
 * and they leave operations for the time after the command that it is at.
 */
export class Schedule {
  readonly #options: ScheduleOptions;
  /** For each command, the number of the operation after which it is typed. */
  readonly #begins: readonly number[];
  #operations = 0;
  #typed = 0;
  #isOver = false;
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];

  constructor(options: ScheduleOptions) {
    this.#options = options;
    const { random, operations, haste, commands } = options;
    const begins = Array.from({ length: commands }, () => random() * operations).sort((a, b) => a - b);
    for (const index of begins.keys()) if (index > 0 && random() < haste) begins[index] = begins[index - 1] ?? 0;
    this.#begins = begins;
  }

  /** The operator begins. Clients that wait for one that is stuck go on after a while. */
  begin(): void {
    this.#options.time.after(LIFE_MS, () => this.#look());
  }

  /** Takes one operation from those that the run has to do; false where none is left. */
  take(): boolean {
    this.#operations += 1;
    this.#look();
    return this.#operations <= this.#options.stopAfter && this.#options.time.nowMs() < LIFE_MS;
  }

  /** Settles when a client may begin its next operation. */
  clientsTurn(): Promise<void> {
    return this.#until(() => !this.#isAhead());
  }

  /** Settles when the operator is to type a command, by its index: false where the run is over first. */
  async operatorsTurn(command: number): Promise<boolean> {
    const begin = this.#begins[command] ?? 0;
    await this.#until(() => this.#isOver || this.#operations >= begin);
    return this.#operations >= begin;
  }

  /** The operator is through with a command. */
  typed(): void {
    this.#typed += 1;
    this.#look();
  }

  /** The clients are through. */
  end(): void {
    this.#isOver = true;
    this.#look();
  }

  #isAhead(): boolean {
    const { time, operations, commands } = this.#options;
    const next = this.#begins[this.#typed + 1];
    return commands > 0 && this.#operations > (next ?? operations) + AHEAD && time.nowMs() < LIFE_MS;
  }

  /** Settles when the condition holds. It is looked at whenever an operation begins, a command is done, or the run is over. */
  #until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  #look(): void {
    const [now, later] = [true, false].map((holds) => this.#waiting.filter(({ condition }) => condition() === holds));
    this.#waiting = later ?? [];
    for (const { resolve } of now ?? []) resolve();
  }
}
