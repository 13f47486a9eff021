import { setTimeout as sleep } from 'node:timers/promises';
import { INCREMENTS } from './cases.js';
import { LoadProcess } from './load/process.js';
import { residentMib } from './memory.js';
import { jobFor, measureRound, type Round, type LoadRoundOptions, type Target } from './rounds.js';
import { BenchCluster } from './systems/cluster.js';

/** What a proposer holds, and how fast it is, after few keys and after many. */
export interface KeysFigures {
  readonly few: number;
  readonly many: number;
  readonly fewMib: number;
  readonly manyMib: number;
  /** Neighbouring rounds on as many keys, both after the many. */
  readonly onFew: readonly Round[];
  readonly onMany: readonly Round[];
}

const FEW = 1_000;
/** So that there is progress to show. */
const WRITTEN_AT_ONCE = 20_000;
/** Until a proposer that has nothing to do has the memory that it holds. */
const SETTLE_MS = 3_000;

/** Sends it all to one proposer of a cluster of its own: that one sees every key. */
export async function measureKeys(many: number, options: LoadRoundOptions): Promise<KeysFigures> {
  const { node, rounds, progress, signal } = options;
  const cluster = await BenchCluster.startConfigured(node);
  try {
    const [address = ''] = cluster.addresses;
    const first: Target = { name: cluster.name, protocol: cluster.protocol, processes: cluster.processes, addresses: [address] };
    const held = async (): Promise<number> => {
      await sleep(SETTLE_MS, undefined, { signal });
      return residentMib(cluster.pidOf('proposer-1'));
    };
    const round = (keys: number): Promise<Round> => measureRound({ ...INCREMENTS, keys }, first, options);
    for (let number = 1; number <= rounds; number += 1) {
      progress(`${FEW} keys: round ${number} of ${rounds}`);
      await round(FEW);
    }
    const fewMib = await held();
    const [onFew, onMany]: [Round[], Round[]] = [[], []];
    for (let firstKey = 1; firstKey <= many; firstKey += WRITTEN_AT_ONCE) {
      progress(`${firstKey - 1} of ${many} keys are written`);
      signal.throwIfAborted();
      const keys = Math.min(WRITTEN_AT_ONCE, many - firstKey + 1);
      await LoadProcess.fill(node, { ...jobFor({ ...INCREMENTS, keys }, first), firstKey, fillsOnly: true });
    }
    for (let number = 1; number <= rounds; number += 1) {
      progress(`${many} keys beside ${FEW}: round ${number} of ${rounds}`);
      onFew.push(await round(FEW));
      onMany.push(await round(many));
    }
    return { few: FEW, many, fewMib, manyMib: await held(), onFew, onMany };
  } finally {
    await cluster.stop();
  }
}
