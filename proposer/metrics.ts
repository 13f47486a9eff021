import type { AcceptorState } from '../src/redis/acceptor-pool.js';
import type { OperationKind } from '../src/store/options.js';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Counts } from './counts.js';

/** What is looked at when somebody asks, not counted. */
export interface PresentMetrics {
  readonly era: number;
  readonly isConfigured: boolean;
  /** Those of the configuration, and whether each is connected and the one that is meant. */
  readonly acceptors: readonly Pick<AcceptorState, 'name' | 'isReady' | 'wentBack' | 'memoryUsed'>[];
}

/** From half a millisecond, which a local read takes, to the slowest answer. */
const BUCKETS_SECONDS = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.3, 1, 1.5, 2, 3, 4];

const HELP = {
  operations_total: 'Operations that ended, by outcome: ok, or the code of the error.',
  operations_in_flight: 'Operations under way.',
  round_trips_total: 'Times that a quorum was asked: to read, or in a phase of a round.',
  piggybacked_promises_used_total: 'Rounds without a prepare, by a promise that came with the accept before.',
  retries_total: 'Rounds repeated because a conflict or a missing quorum ended the one before.',
  unconfirmed_commits_total: 'Writes whose accept no quorum confirmed, by whether the outcome was found out.',
  acceptor_calls_total: 'Messages to acceptors by outcome: ok, conflict, failed, stranger, unfit.',
  acceptor_failures_total:
    'Messages to acceptors without a reply, by reason: what the server answered (OOM, READONLY, …), timeout, not connected, stranger, unfit, other.',
  acceptor_ready: '1 where an acceptor of the configuration is connected, the one that is meant, fit, and does what it is told.',
  acceptor_went_back_timestamp_seconds:
    'Since when it is known that the disk of an acceptor went back to an earlier moment; 0: it did not.',
  acceptor_memory_used_ratio:
    'The share of its maxmemory that an acceptor uses, 0 to 1; at 1 it refuses to store more. Missing where it has no limit, or does not answer.',
  configuration_era: 'Era of the configuration in force.',
  configured: '1 where the configuration has acceptors.',
};

type Add = (value: number, ...labels: string[]) => void;

/** Makes the counts of a proposer, and the metrics of its process, Prometheus metrics. `docs/operations.md` lists them. */
export function createMetrics(present: () => PresentMetrics): { counts: Counts; registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'caspaxos_operation_duration_seconds',
    help: 'From the arrival of an operation to its end, with its turn, retries, and the search for its outcome.',
    labelNames: ['operation'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  const observers = { read: durations.labels('read'), write: durations.labels('write'), rescan: durations.labels('rescan') };
  const counts = new Counts((kind, seconds) => observers[kind].observe(seconds));
  const kinds = Object.keys(counts.operations) as OperationKind[];

  const metric = (
    Kind: typeof Counter | typeof Gauge,
    name: keyof typeof HELP,
    labelNames: string[],
    collect: (add: Add) => void,
  ): void => {
    const instance: Counter | Gauge = new Kind({
      ...{ name: `caspaxos_${name}`, help: HELP[name], labelNames },
      registers: [registry],
      collect: () => {
        instance.reset();
        collect((value, ...labels) => {
          const named = labelNames.map((label, at) => [label, labels[at] ?? ''] as const);
          instance.inc(Object.fromEntries(named) as Record<string, string>, value);
        });
      },
    });
  };

  metric(Counter, 'operations_total', ['operation', 'outcome'], (add) => {
    for (const kind of kinds) for (const [outcome, count] of counts.operations[kind].outcomes) add(count, kind, outcome);
  });
  metric(Gauge, 'operations_in_flight', ['operation'], (add) => {
    for (const kind of kinds) add(counts.operations[kind].inFlight, kind);
  });
  metric(Counter, 'round_trips_total', ['phase'], (add) => {
    for (const [phase, count] of Object.entries(counts.roundTrips)) add(count, phase);
  });
  metric(Counter, 'piggybacked_promises_used_total', [], (add) => add(counts.promisesUsed));
  metric(Counter, 'retries_total', [], (add) => add(counts.retries));
  metric(Counter, 'unconfirmed_commits_total', ['outcome'], (add) => {
    for (const [outcome, count] of Object.entries(counts.unconfirmed)) add(count, outcome);
  });
  metric(Counter, 'acceptor_calls_total', ['acceptor', 'phase', 'outcome'], (add) => {
    for (const [acceptor, phases] of counts.calls)
      for (const [phase, outcomes] of Object.entries(phases))
        for (const [outcome, count] of Object.entries(outcomes)) add(count as number, acceptor, phase, outcome);
  });
  metric(Counter, 'acceptor_failures_total', ['acceptor', 'reason'], (add) => {
    for (const [acceptor, reasons] of counts.failures) for (const [reason, count] of Object.entries(reasons)) add(count, acceptor, reason);
  });
  metric(Gauge, 'acceptor_ready', ['acceptor'], (add) => {
    for (const { name, isReady } of present().acceptors) add(Number(isReady), name);
  });
  metric(Gauge, 'acceptor_went_back_timestamp_seconds', ['acceptor'], (add) => {
    for (const { name, wentBack } of present().acceptors) add((wentBack?.atMs ?? 0) / 1_000, name);
  });
  metric(Gauge, 'acceptor_memory_used_ratio', ['acceptor'], (add) => {
    for (const { name, memoryUsed } of present().acceptors) if (memoryUsed !== undefined) add(memoryUsed, name);
  });
  metric(Gauge, 'configuration_era', [], (add) => add(present().era));
  metric(Gauge, 'configured', [], (add) => add(Number(present().isConfigured)));
  return { counts, registry };
}
