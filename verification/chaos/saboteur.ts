import type { Random } from '../../client/random.js';
import type { Time } from '../../src/protocol/time.js';
import type { FaultSpan } from './availability.js';
import type { ChaosCluster } from './cluster.js';
import type { Fault } from './fault.js';
import { faultSchedule, type TimedFault } from './fault-schedule.js';
import { pause } from './pause.js';

type Victim = Pick<ChaosCluster, 'inflict' | 'mend' | 'kinds'>;

/** Breaks nodes and mends them, episode after episode. */
export class Saboteur {
  /** In the order in which they were inflicted. */
  readonly spans: FaultSpan[] = [];
  readonly #victim: Victim;
  readonly #time: Time;
  readonly #elapsedMs: () => number;
  readonly #random: Random;

  constructor(victim: Victim, time: Time, elapsedMs: () => number, random: Random) {
    this.#victim = victim;
    this.#time = time;
    this.#elapsedMs = elapsedMs;
    this.#random = random;
  }

  /** Until `stop`; then everything is mended. Rejects where that cannot be done. */
  async run(stop: AbortSignal): Promise<void> {
    for (const { quietMs, faults } of faultSchedule(this.#random, this.#victim.kinds)) {
      await pause(this.#time, quietMs, stop);
      if (stop.aborted) return;
      await Promise.all(faults.map((fault) => this.#inflict(fault, stop)));
    }
  }

  async #inflict({ kind, target, afterMs, lastsMs }: TimedFault, stop: AbortSignal): Promise<void> {
    await pause(this.#time, afterMs, stop);
    if (stop.aborted) return;
    const fault: Fault = { kind, target };
    const span: FaultSpan = { ...fault, fromMs: this.#elapsedMs() };
    const at = this.spans.push(span) - 1;
    await this.#victim.inflict(fault);
    await pause(this.#time, lastsMs, stop);
    await this.#victim.mend(fault);
    this.spans[at] = { ...span, untilMs: this.#elapsedMs() };
  }
}
