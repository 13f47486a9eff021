import type { Time } from '../protocol/time.js';

/**
 * The clock of the machine. Programs hand it in; the simulation hands in one of its own.
 *
 * A process that stood still finds its timers due before it has read what came meanwhile: that is read first, so that no answer which is there already
 * counts as late.
 */
export const systemTime: Time = {
  nowMs: () => performance.now(),
  after(delayMs, fire) {
    let afterReading: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => (afterReading = setImmediate(fire)), delayMs);
    return () => {
      clearTimeout(timer);
      clearImmediate(afterReading);
    };
  },
};
