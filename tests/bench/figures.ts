import type { Results } from '../../bench/results.js';
import type { Round } from '../../bench/rounds.js';
import type { Seen } from '../../bench/load/load.js';

const LATENCY = { count: 0, p50Ms: 2, p99Ms: 9, longestMs: 11 };

/** A second of a load. */
export function seen(rest: Partial<Seen> & { served?: number; p99Ms?: number } = {}): Seen {
  const { served = 0, p99Ms = 9, ...others } = rest;
  const operations = { ...LATENCY, count: served, p99Ms };
  return { seconds: 1, requests: LATENCY, operations, writes: 0, mismatches: 0, networkErrors: 0, otherAnswers: {}, ...others };
}

export function reads(served: number, serverCpuMs = 100): Round {
  return { seen: seen({ served }), cpuMs: { server: serverCpuMs }, writes: { server: 300 }, loadCpuMs: 250 };
}

export function increments(writes: number, serverCpuMs = 100, rest: Partial<Seen> = {}): Round {
  return {
    seen: seen({ served: writes + (rest.mismatches ?? 0), writes, ...rest }),
    cpuMs: { proposer: serverCpuMs / 4, acceptor: (serverCpuMs / 4) * 3 },
    writes: { proposer: 3 * writes, acceptor: 6 * writes },
    loadCpuMs: 250,
  };
}

/** Of a run in which nothing was measured yet. */
export const NOTHING: Results = {
  machine: { cores: 2, processor: 'a processor', memoryGib: 8, kernel: 'Linux 6', syncMs: { p50: 0.5, p99: 4 }, loadAverage: 1.5 },
  versions: { node: 'v24.0.0', express: '5.0.0', redis: 'Redis 8.0.0', etcd: '3.5.0', zookeeper: '3.8.0' },
  rounds: 3,
  seconds: 1,
  cases: [],
  pauses: [],
  stopped: [],
};
