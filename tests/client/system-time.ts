import type { Time } from '../../src/time.js';

export const systemTime: Time = {
  nowMs: () => performance.now(),
  after: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return () => clearTimeout(timer);
  },
};
