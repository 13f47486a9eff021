import { Gauge } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { ratesBetween, rescansBetween, type Scrape } from '../../../../node-control/page/server/rates.js';
import type { OperationKind } from '../../../../src/store/options.js';
import { createMetrics } from '../../../../proposer/metrics.js';
import type { PrometheusMetric } from '../../../../src/http/client.js';
import { countedBy } from '../../../proposer/counted-acceptor.js';

/** The metrics of a proposer as they are, under a start of its own. */
function proposerStartedAt(startSeconds: number): {
  readonly counts: ReturnType<typeof createMetrics>['counts'];
  readonly ends: (kind: OperationKind, outcome: string, count: number) => void;
  readonly take: (kind: OperationKind, seconds: number, count: number) => void;
  readonly scrape: (atMs: number) => Promise<Scrape>;
} {
  const { counts, registry } = createMetrics(() => ({ era: 1, isConfigured: true, acceptors: [] }));
  registry.removeSingleMetric('process_start_time_seconds');
  new Gauge({ name: 'process_start_time_seconds', help: '-', registers: [registry] }).set(startSeconds);
  const durations = registry.getSingleMetric('caspaxos_operation_duration_seconds') as unknown as {
    labels: (kind: string) => { observe: (seconds: number) => void };
  };
  return {
    counts,
    ends: (kind, outcome, count) => void counts.operations[kind].outcomes.set(outcome, count),
    take: (kind, seconds, count) => {
      for (let done = 0; done < count; done += 1) durations.labels(kind).observe(seconds);
    },
    // As it comes over the wire.
    scrape: async (atMs) => ({
      atMs,
      metrics: JSON.parse(JSON.stringify(await registry.getMetricsAsJSON())) as PrometheusMetric[],
    }),
  };
}

describe('what a proposer did between two scrapes', () => {
  it('is counted for each second: what was answered with a value or took effect, and what stood in the way', async () => {
    const { counts, ends, scrape } = proposerStartedAt(1);
    ends('read', 'ok', 1_000);
    ends('write', 'CommitError', 7);
    counts.retries = 5;
    const before = await scrape(10_000);
    ends('read', 'ok', 1_300);
    ends('read', 'PrepareError', 20);
    ends('write', 'ok', 83);
    ends('write', 'VersionMismatch', 10);
    ends('write', 'CommitError', 10);
    counts.retries = 21;
    Object.assign(counts.roundTrips, { read: 313, prepare: 10, accept: 93 });
    countedBy(counts, 'a', { prepare: fails, accept: fails, read: fails });
    countedBy(counts, 'b', { prepare: fails, accept: fails, read: fails });
    Object.assign(counts.calls.get('a')?.prepare ?? {}, { ok: 1_000, conflict: 6, failed: 1_000 });
    Object.assign(counts.calls.get('b')?.accept ?? {}, { ok: 1_000, conflict: 2 });
    expect(ratesBetween(before, await scrape(12_000))).toMatchObject({
      reads: 150,
      writes: 42, // 83 in two seconds
      refused: 10, // 20 in two seconds: neither a version that is another one nor an unknown outcome
      conflicts: 4,
      retries: 8,
      unknown: 3, // not for each second: one is one too many
      roundTrips: 1,
    });
  });

  it('has neither round trips nor durations where there were no operations', async () => {
    const { ends, take, scrape } = proposerStartedAt(1);
    ends('read', 'ok', 1_000);
    take('read', 0.001, 1_000);
    const [before, after] = [await scrape(0), await scrape(1_000)];
    expect(ratesBetween(before, after)).toEqual({ reads: 0, writes: 0, refused: 0, conflicts: 0, retries: 0, unknown: 0 });
  });

  it('counts rescans among the operations that shared the round trips, and by themselves', async () => {
    const { counts, ends, scrape } = proposerStartedAt(1);
    ends('rescan', 'ok', 5);
    ends('write', 'ok', 100);
    const before = await scrape(0);
    ends('read', 'ok', 10);
    ends('rescan', 'ok', 25);
    ends('rescan', 'PrepareError', 10);
    counts.roundTrips.prepare = 60;
    const after = await scrape(1_000);
    expect(ratesBetween(before, after)).toMatchObject({ reads: 10, writes: 0, roundTrips: 1.5 });
    expect(rescansBetween(before, after)).toBe(30);
  });

  it('is not told of one that was started again in between, nor of no time at all', async () => {
    const [first, second] = [proposerStartedAt(1), proposerStartedAt(2)];
    const before = await first.scrape(0);
    expect(ratesBetween(before, await second.scrape(1_000))).toBeUndefined();
    expect(ratesBetween(before, await first.scrape(0))).toBeUndefined();
    expect(ratesBetween(before, await first.scrape(1_000))).toBeDefined();
  });
});

describe('the durations', () => {
  const quantilesOf = async (...taken: readonly [kind: OperationKind, seconds: number, count: number][]) => {
    const { ends, take, scrape } = proposerStartedAt(1);
    // What was before the first scrape is none of the last second's.
    take('read', 2, 500);
    const before = await scrape(0);
    for (const [kind, seconds, count] of taken) take(kind, seconds, count);
    ends('read', 'ok', 1);
    const { p50Ms, p99Ms } = ratesBetween(before, await scrape(1_000)) ?? {};
    return { p50Ms, p99Ms };
  };

  it('are read off the buckets, within one as if they were spread evenly', async () => {
    // 100 between 1 and 2 ms: the 50th lies half way, the 99th at 99%.
    const even = await quantilesOf(['read', 0.0015, 60], ['write', 0.0011, 40]);
    expect(even.p50Ms).toBeCloseTo(1.5);
    expect(even.p99Ms).toBeCloseTo(1.99);
    const mixed = await quantilesOf(['read', 0.0004, 75], ['write', 0.04, 25]);
    expect(mixed.p50Ms).toBeCloseTo(0.5 * (50 / 75));
    expect(mixed.p99Ms).toBeCloseTo(20 + 30 * (24 / 25));
  });

  it('are those of clients: a rescan has all the time in the world', async () => {
    const { p99Ms } = await quantilesOf(['write', 0.0015, 100], ['rescan', 0.9, 900]);
    expect(p99Ms).toBeCloseTo(1.99);
  });

  it('past the last bucket are infinite', async () => {
    const { p50Ms, p99Ms } = await quantilesOf(['write', 0.0015, 90], ['write', 4.5, 10]);
    expect(p50Ms).toBeLessThan(2);
    expect(p99Ms).toBe(Infinity);
  });

  it('are none where only keys were rescanned', async () => {
    expect(await quantilesOf(['rescan', 0.9, 900])).toEqual({});
  });
});

const fails = (): Promise<never> => Promise.reject(new Error('nobody is there'));
