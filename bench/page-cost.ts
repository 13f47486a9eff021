import { type ClientRequest, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROL } from '../local/layout.js';
import { INCREMENTS } from './cases.js';
import { LoadProcess } from './load/process.js';
import { jobFor, measureStretch, type Round, type LoadRoundOptions } from './rounds.js';
import { BenchCluster } from './systems/cluster.js';

/** The same load with no, one and ten pages of the control node open. Stretches with the same index are neighbours. */
export interface PageFigures {
  readonly none: readonly Round[];
  readonly one: readonly Round[];
  readonly ten: readonly Round[];
}

/** Until the control node has begun to ask the nodes, or ceased to. */
const SETTLE_MS = 1_200;

/** Opens and closes pages under one load that runs all the time. A page is its stream of events: what a browser draws of it is not the cluster's. */
export async function measurePage(options: LoadRoundOptions, of = INCREMENTS): Promise<PageFigures> {
  const { node, rounds, warmUpSeconds, progress, signal } = options;
  const cluster = await BenchCluster.startConfigured(node, { hasControl: true });
  try {
    const load = await LoadProcess.start(node, jobFor(of, cluster));
    try {
      await sleep(warmUpSeconds * 1_000, undefined, { signal });
      const figures: Record<keyof PageFigures, Round[]> = { none: [], one: [], ten: [] };
      const counts = { none: 0, one: 1, ten: 10 } as const;
      for (let round = 1; round <= rounds; round += 1) {
        for (const [name, count] of inTurn(Object.entries(counts), round)) {
          progress(`${count} pages, round ${round} of ${rounds}`);
          const pages = await Promise.all(Array.from({ length: count }, () => openPage(cluster.addressOf(`${CONTROL}:8080`))));
          await sleep(SETTLE_MS, undefined, { signal });
          figures[name as keyof PageFigures].push(await measureStretch(load, cluster, options));
          for (const page of pages) page.destroy();
        }
      }
      await load.stop();
      return figures;
    } finally {
      load.kill();
    }
  } finally {
    await cluster.stop();
  }
}

/** Begins with another one in each round, so that none is always the one after a pause. */
function inTurn<Item>(items: readonly Item[], round: number): Item[] {
  const first = round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/** Resolves when the first snapshot has come. */
function openPage(address: string): Promise<ClientRequest> {
  return new Promise((resolve, reject) => {
    const page = request(`http://${address}/events`, { agent: false });
    page.once('error', reject);
    page.once('response', (response) => {
      response.once('data', () => resolve(page));
      response.resume();
      // Closed by whoever opened it.
      response.on('error', () => undefined);
    });
    page.end();
  });
}
