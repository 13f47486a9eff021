import { describe, expect, it } from 'vitest';
import { demandsWrites } from '../../../verification/chaos/availability.js';
import { DiskProbe, STALL_MS } from '../../../verification/chaos/disk-probe.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

describe('the disk probe', () => {
  it('notes each write that the disk held up, already while it does', async () => {
    const time = new VirtualTime();
    const tookMs = [5, STALL_MS - 1, STALL_MS, 5, 3_000, 5];
    const sync = (): Promise<void> => new Promise((resolve) => time.after(tookMs.shift() ?? 5, resolve));
    const probe = new DiskProbe(sync, time, () => time.nowMs());
    const stop = new AbortController();
    const run = probe.run(stop.signal);
    const first = { kind: 'stall', target: 'disk', fromMs: 404, untilMs: 604 };
    await time.advance(700);
    expect(probe.stalls).toEqual([first]);
    await time.advance(108 + STALL_MS);
    expect(probe.stalls).toEqual([first]);
    await time.advance(1);
    expect(probe.stalls).toEqual([first, { kind: 'stall', target: 'disk', fromMs: 809 }]);
    await time.advance(5_000);
    expect(probe.stalls).toEqual([first, { kind: 'stall', target: 'disk', fromMs: 809, untilMs: 3_809 }]);
    stop.abort();
    await time.run(run);
    expect(time.pending).toBe(0);
  });

  it('takes every acceptor for broken meanwhile', () => {
    const set = { nodes: ['acceptor-1:6379'], quorum: 1 };
    const sets = [{ sets: { prepare: set, accept: set }, fromMs: 0 }];
    expect(demandsWrites(10_000, 11_000, [], sets)).toBe(true);
    expect(demandsWrites(10_000, 11_000, [{ kind: 'stall', target: 'disk', fromMs: 10_500 }], sets)).toBe(false);
  });
});
