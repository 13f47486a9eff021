import { describe, expect, it } from 'vitest';
import { Saboteur } from '../../../verification/chaos/saboteur.js';
import { randomFrom } from '../../../client/random.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

const KINDS = { ofAcceptors: ['kill'], ofProposers: ['kill'], ofLinks: ['cut'] } as const;
/** How long a node takes to break, and to mend. */
const TAKES_MS = 200;

describe('the saboteur', () => {
  it('mends all that it broke, also when it is stopped in the middle, and records each fault from its order to its end', async () => {
    for (let stopMs = 0; stopMs < 20_000; stopMs += 700) {
      const time = new VirtualTime();
      const events: string[] = [];
      const slowly = async (event: string): Promise<void> => {
        events.push(`${event} ${time.nowMs()}`);
        await new Promise<void>((resolve) => time.after(TAKES_MS, resolve));
      };
      const victim = {
        kinds: KINDS,
        inflict: ({ target }: { target: string }) => slowly(`break ${target}`),
        mend: ({ target }: { target: string }) => slowly(`mend ${target}`),
      };
      const saboteur = new Saboteur(victim, time, () => time.nowMs(), randomFrom(5));
      const stop = new AbortController();
      const run = saboteur.run(stop.signal);
      await time.advance(stopMs);
      stop.abort();
      await time.run(run);
      const expected = saboteur.spans.flatMap(({ target, fromMs, untilMs = NaN }) => [
        `break ${target} ${fromMs}`,
        `mend ${target} ${untilMs - TAKES_MS}`,
      ]);
      expect([...events].sort()).toEqual(expected.sort());
      if (stopMs > 10_000) expect(events.length).toBeGreaterThan(2);
      expect(time.pending).toBe(0);
      // Nothing is broken any more, and what is broken is mended at once.
      expect(Math.max(-1, ...saboteur.spans.map(({ fromMs }) => fromMs))).toBeLessThan(stopMs);
      expect(time.nowMs()).toBeLessThanOrEqual(stopMs + 2 * TAKES_MS);
    }
  });

  it('passes on that a node could not be mended', async () => {
    const time = new VirtualTime();
    const victim = { kinds: KINDS, inflict: () => Promise.resolve(), mend: () => Promise.reject(new Error('it does not answer')) };
    const run = new Saboteur(victim, time, () => time.nowMs(), randomFrom(5)).run(new AbortController().signal);
    await expect(time.run(run)).rejects.toThrow('it does not answer');
  });
});
