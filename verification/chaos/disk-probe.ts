import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Time } from '../../src/protocol/time.js';
import type { FaultSpan } from './availability.js';
import { DISK } from './fault.js';
import { pause } from './pause.js';

const INTERVAL_MS = 100;
/** An acceptor puts every write on disk before it answers, and has 300 ms for the whole answer: with a slower disk it is down. */
export const STALL_MS = 200;

type Sync = () => Promise<void>;

/**
 * Watches the disk that the acceptors write to, with small writes of its own: while other programs of the machine hold it up, no acceptor
 * is up, though nobody broke one.
 */
export class DiskProbe {
  readonly #stalls: FaultSpan[] = [];
  readonly #sync: Sync;
  readonly #time: Time;
  readonly #elapsedMs: () => number;
  /** Since when the disk has been at it; undefined between two writes. */
  #sinceMs: number | undefined;

  /** @param sync brings something to the disk */
  constructor(sync: Sync, time: Time, elapsedMs: () => number) {
    this.#sync = sync;
    this.#time = time;
    this.#elapsedMs = elapsedMs;
  }

  /** Also the one that is not over yet. */
  get stalls(): FaultSpan[] {
    const fromMs = this.#sinceMs;
    if (fromMs === undefined || this.#elapsedMs() - fromMs < STALL_MS) return [...this.#stalls];
    return [...this.#stalls, { kind: 'stall', target: DISK, fromMs }];
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const fromMs = this.#elapsedMs();
      this.#sinceMs = fromMs;
      await this.#sync();
      this.#sinceMs = undefined;
      const untilMs = this.#elapsedMs();
      if (untilMs - fromMs >= STALL_MS) this.#stalls.push({ kind: 'stall', target: DISK, fromMs, untilMs });
      await pause(this.#time, INTERVAL_MS, stop);
    }
  }
}

/** A file without a name, so that nothing is left however the program ends. @param folder on the disk in question */
export async function openUnnamed(folder: string): Promise<FileHandle> {
  const name = path.join(folder, `.cluster-chaos-probe-${process.pid}`);
  const file = await open(name, 'w');
  await rm(name);
  return file;
}
