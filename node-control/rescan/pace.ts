import type { Time } from '../../src/protocol/time.js';

/** The speed is that of the last few seconds. */
const WINDOW_MS = 5_000;

/** How far a long job is, how fast it goes, and how long it takes yet. */
export class Pace {
  readonly #time: Time;
  readonly #startMs: number;
  readonly #marks: { atMs: number; done: number }[] = [];
  #done = 0;
  /** May turn out to be more. */
  total: number;

  constructor(time: Time, total: number) {
    this.#time = time;
    this.total = total;
    this.#startMs = time.nowMs();
    this.#marks.push({ atMs: this.#startMs, done: 0 });
  }

  get done(): number {
    return this.#done;
  }

  /** From 0 to 1. */
  get fraction(): number {
    return this.#done / Math.max(1, this.total, this.#done);
  }

  add(count: number): void {
    const atMs = this.#time.nowMs();
    this.#done += count;
    this.#marks.push({ atMs, done: this.#done });
    while (this.#marks.length > 2 && (this.#marks[1]?.atMs ?? atMs) < atMs - WINDOW_MS) this.#marks.shift();
  }

  /** `450,000 of about 1,000,000 keys, 8,100/s, 1 min 8 s left` */
  toString(): string {
    const [first = { atMs: this.#startMs, done: 0 }] = this.#marks;
    const { atMs, done } = this.#marks.at(-1) ?? first;
    const perSecond = atMs > first.atMs ? ((done - first.done) / (atMs - first.atMs)) * 1_000 : 0;
    const total = Math.max(this.total, this.#done);
    const speed = perSecond >= 1 ? `, ${countText(Math.round(perSecond))}/s, ${durationText((total - this.#done) / perSecond)} left` : '';
    return `${countText(this.#done)} of about ${countText(total)} keys${speed}`;
  }
}

/** `1,000,000`. To make one takes a millisecond, and progress is told thousands of times. */
const COUNT_FORMAT = new Intl.NumberFormat('en-US');

function countText(count: number): string {
  return COUNT_FORMAT.format(count);
}

function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
