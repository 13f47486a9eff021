import type { PrometheusMetric } from '../../../src/http/client.js';
import { HTTP_STATUS } from '../../../src/http/status.js';
import type { Rates } from './snapshot.js';

/** What is certainly not applied, and not for what the key holds. */
const REFUSALS = Object.entries(HTTP_STATUS).flatMap(([code, status]) => (status === 503 || status === 507 ? [code] : []));

/** The metrics of a proposer at one moment. */
export interface Scrape {
  readonly atMs: number;
  readonly metrics: readonly PrometheusMetric[];
}

/** What a proposer did between two scrapes, for each second. Undefined if it was started again in between. */
export function ratesBetween(before: Scrape, after: Scrape): Rates | undefined {
  const seconds = (after.atMs - before.atMs) / 1_000;
  if (seconds <= 0 || startOf(before) !== startOf(after)) return undefined;
  const grown = (name: string, labels: Labels = {}): number => total(after, name, labels) - total(before, name, labels);
  const perSecond = (count: number): number => Math.round(count / seconds);
  const done = (operation: string): number => perSecond(grown('operations_total', { operation, outcome: 'ok' }));
  const operations = grown('operations_total');
  const quantile = (share: number): number | undefined => durationMs(before, after, share);
  return {
    reads: done('read'),
    writes: done('write'),
    refused: perSecond(REFUSALS.reduce((sum, outcome) => sum + grown('operations_total', { outcome }), 0)),
    conflicts: perSecond(grown('acceptor_calls_total', { outcome: 'conflict' })),
    retries: perSecond(grown('retries_total')),
    unknown: grown('operations_total', { outcome: 'CommitError' }),
    ...(operations === 0 ? {} : { roundTrips: grown('round_trips_total') / operations, p50Ms: quantile(0.5), p99Ms: quantile(0.99) }),
  };
}

/** How many keys a proposer rescanned between two scrapes. */
export function rescansBetween(before: Scrape, after: Scrape): number {
  return total(after, 'operations_total', { operation: 'rescan' }) - total(before, 'operations_total', { operation: 'rescan' });
}

type Labels = Readonly<Record<string, string>>;

function valuesOf({ metrics }: Scrape, name: string): PrometheusMetric['values'] {
  return metrics.find((metric) => metric.name === name)?.values ?? [];
}

function startOf(scrape: Scrape): number | undefined {
  return valuesOf(scrape, 'process_start_time_seconds')[0]?.value;
}

function total(scrape: Scrape, name: string, wanted: Labels): number {
  const matching = valuesOf(scrape, `caspaxos_${name}`).filter(({ labels }) =>
    Object.entries(wanted).every(([label, value]) => labels[label] === value),
  );
  return matching.reduce((sum, { value }) => sum + value, 0);
}

/** Of clients' operations: within the bucket as if they were spread evenly. Undefined if there were none, Infinity past the last bucket. */
function durationMs(before: Scrape, after: Scrape, share: number): number | undefined {
  const name = 'caspaxos_operation_duration_seconds';
  const counts = new Map<number, number>();
  const add = (scrape: Scrape, sign: number): void => {
    for (const { metricName, labels, value } of valuesOf(scrape, name)) {
      if (metricName !== `${name}_bucket` || labels['operation'] === 'rescan') continue;
      const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
      counts.set(bound, (counts.get(bound) ?? 0) + sign * value);
    }
  };
  add(after, 1);
  add(before, -1);
  const buckets = [...counts].sort(([a], [b]) => a - b);
  const wanted = share * (buckets.at(-1)?.[1] ?? 0);
  if (wanted === 0) return undefined;
  let [lowerBound, lowerCount] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= wanted) return 1_000 * (lowerBound + ((bound - lowerBound) * (wanted - lowerCount)) / (count - lowerCount));
    [lowerBound, lowerCount] = [bound, count];
  }
  return undefined;
}
