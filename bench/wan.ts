import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, KeyValueClient } from '../src/http/client.js';
import type { Versioned } from '../src/store/versioned.js';
import type { LoadRoundOptions } from './rounds.js';
import { BenchCluster } from './systems/cluster.js';

/** Three regions, and the milliseconds there and back, as the paper measured them. In each of them are a proposer, an acceptor and clients. */
const REGIONS = ['West US 2', 'West Central US', 'Southeast Asia'];
const DISTANCES_MS = [
  [0, 21.8, 169],
  [21.8, 0, 189.2],
  [169, 189.2, 0],
];
/** Until what the write before began has arrived everywhere. */
const SETTLE_MS = 400;
/** Between the beginnings of two operations. */
const EVERY_MS = 60;

const OPERATIONS = ['read', 'compareAndSet', 'change'] as const;
type Operation = (typeof OPERATIONS)[number];

/** What clients of one region wait for, who ask the proposer beside them. */
export interface RegionFigures {
  readonly region: string;
  /** There and back to the nearest other region: less than that nothing takes that needs a second acceptor. */
  readonly nearestMs: number;
  /** Whether its keys have their home here: no other proposer writes them. Else another region wrote last. */
  readonly isHome: boolean;
  readonly tookMs: Readonly<Record<Operation, readonly number[]>>;
}

/** A cluster whose regions are far from each other, each round with a read, a compare-and-set and a change function in each region. */
export async function measureWan({ node, rounds, progress, signal }: LoadRoundOptions): Promise<RegionFigures[]> {
  const cluster = await BenchCluster.startConfigured(node, { distancesMs: DISTANCES_MS });
  const clients = cluster.addresses.map((address) => new KeyValueClient(address));
  try {
    const figures = REGIONS.flatMap((region, at) =>
      [true, false].map((isHome) => {
        const nearestMs = Math.min(...(DISTANCES_MS[at] ?? []).filter((ms) => ms > 0));
        const tookMs: Record<Operation, number[]> = { read: [], compareAndSet: [], change: [] };
        return { region, at, nearestMs, isHome, tookMs };
      }),
    );
    // The first round only opens connections.
    for (let round = 0; round <= rounds; round += 1) {
      progress(`round ${round} of ${rounds}`);
      signal.throwIfAborted();
      const samples = figures.flatMap(({ at, isHome, tookMs }, row) =>
        OPERATIONS.map(async (operation, column) => {
          // One after the other: what meets on the processor would wait for it, and not for the way.
          await sleep(EVERY_MS * (row * OPERATIONS.length + column));
          const [own, other] = [clients[at], clients[isHome ? at : (at + 1) % clients.length]];
          const tookMsOnce = own && other && (await measure(operation, `${at}-${isHome}-${operation}`, own, other));
          if (round > 0 && tookMsOnce !== undefined) tookMs[operation].push(tookMsOnce);
        }),
      );
      await Promise.all(samples);
    }
    return figures.map(({ region, nearestMs, isHome, tookMs }) => ({ region, nearestMs, isHome, tookMs }));
  } finally {
    for (const client of clients) await client.close();
    await cluster.stop();
  }
}

/** @returns undefined for what was refused: the machine may be busy */
async function measure(operation: Operation, key: string, own: KeyValueClient, writer: KeyValueClient): Promise<number | undefined> {
  const written = await writer.post(key, { add: 1 });
  if (!written.ok) return undefined;
  await sleep(SETTLE_MS);
  const requests: Record<Operation, () => Promise<Answer<Versioned>>> = {
    read: () => own.get(key),
    compareAndSet: () => own.put(key, written.body.ver, 0),
    change: () => own.post(key, { add: 1 }),
  };
  const sinceMs = performance.now();
  const { ok } = await requests[operation]();
  return ok ? performance.now() - sinceMs : undefined;
}
