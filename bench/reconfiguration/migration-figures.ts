import { setTimeout as sleep } from 'node:timers/promises';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { type Step, typed } from '../../node-control/safety/typed-step.js';
import { forAcceptors, GROW, SHRINK, START } from '../../verification/simulation/migration.js';
import { BenchCluster } from '../systems/cluster.js';
import { Load, type Seen } from '../load/load.js';
import { proposerStores } from '../load/stores.js';
import type { BenchOptions } from './rescan-figures.js';

const KEYS = 9;
const WARM_UP_MS = 2_000;

export interface MigrationFigures {
  /** Of all steps and rescans, in order. */
  readonly steps: readonly { readonly command: string; readonly milliseconds: number }[];
  readonly milliseconds: number;
  readonly usual: Seen;
  readonly meanwhile: Seen;
  /** The longest pause of any client over the usual p99. */
  readonly pauseOverP99: number;
}

/** From one acceptor to three and back by the commands of the README, without the start of a program for each. */
export async function measureMigration({ clients, seconds, progress, signal }: BenchOptions): Promise<MigrationFigures> {
  const cluster = await BenchCluster.start();
  let load: Load | undefined;
  try {
    const commands = (letters: readonly string[]): Step[] => forAcceptors(letters, cluster.acceptors);
    for (const command of commands(START)) await carryOut(command, cluster.control);
    const keys = Array.from({ length: KEYS }, (_, index) => `key-${index + 1}`);
    load = new Load({ stores: proposerStores(cluster.addresses), keys, clients });
    progress(`${clients} clients for ${seconds} s`);
    await sleep(WARM_UP_MS, undefined, { signal });
    load.look();
    await sleep(seconds * 1_000, undefined, { signal });
    const usual = load.look();
    const steps: { command: string; milliseconds: number }[] = [];
    for (const command of commands([...GROW, ...SHRINK])) {
      signal.throwIfAborted();
      progress(typed(command));
      const startMs = performance.now();
      await carryOut(command, cluster.control);
      steps.push({ command: typed(command), milliseconds: performance.now() - startMs });
    }
    const meanwhile = load.look();
    const milliseconds = steps.reduce((sum, step) => sum + step.milliseconds, 0);
    return { steps, milliseconds, usual, meanwhile, pauseOverP99: meanwhile.requests.longestMs / usual.requests.p99Ms };
  } finally {
    await load?.stop();
    await cluster.stop();
  }
}
