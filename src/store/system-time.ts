import type { Time } from '../protocol/time.js';

/** The clock of the machine. Programs hand it in; the simulation hands in one of its own. */
export const systemTime: Time = {
  nowMs: () => performance.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    return () => clearTimeout(timer);
  },
};
