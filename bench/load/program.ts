import { setTimeout as sleep } from 'node:timers/promises';
import { preferred } from '../../client/affinity.js';
import { PROPOSERS } from '../../local/layout.js';
import { NetworkError } from '../../src/http/client.js';
import type { JobAnswer, Job, Question } from './job.js';
import { Load } from './load.js';
import { type LoadedStore, NotServed } from './loaded-store.js';
import { openStore } from './stores.js';

/** A client that waits for longer turns to another node. Also bounds what a node that hangs costs a round. */
const TIMEOUT_MS = 1_000;
/** Where a node does not serve a key that is filled in. */
const FILL_PAUSE_MS = 20;
/** What all stores call a key that does not exist. */
const ABSENT = { ver: 0, val: undefined };

process.once('message', (job: Job) => void run(job));
// The program that asked has gone.
process.on('disconnect', () => process.exit());

async function run(job: Job): Promise<void> {
  const stores = await Promise.all(job.addresses.map((address) => openStore(job.protocol, address, TIMEOUT_MS)));
  const keys = Array.from({ length: job.keys }, (_, index) => `${job.keyPrefix}${job.firstKey + index}`);
  if (job.fillsOnly) {
    await fill(stores, keys, job.clients, job.padding === 0 ? 0 : [0, 'x'.repeat(job.padding)]);
    answer({});
    return;
  }
  const { clients, shareOfReads, adds, fallsOver } = job;
  const nodeOf = job.affinity ? { nodeOf: affinity(keys, stores.length) } : {};
  const load = new Load({ stores, keys, clients, shareOfReads, adds, fallsOver, ...nodeOf });
  process.on('message', (question: Question) => {
    if (question === 'look') answer({ seen: load.look() });
    else void load.stop().then(() => answer({}));
  });
  answer({});
}

/** By the names that the demo's client knows the proposers by; thought out before the clients begin. */
function affinity(keys: readonly string[], count: number): (key: string) => number {
  const nodes = PROPOSERS.slice(0, count).map((proposer, at) => ({ name: `${proposer}:8080`, at }));
  const homes = new Map(keys.map((key) => [key, preferred(key, nodes)?.at ?? 0]));
  return (key) => homes.get(key) ?? 0;
}

function answer(rest: Omit<JobAnswer, 'cpuMs'>): void {
  const { user, system } = process.cpuUsage();
  process.send?.({ ...rest, cpuMs: (user + system) / 1_000 } satisfies JobAnswer);
}

async function fill(stores: readonly LoadedStore[], keys: readonly string[], clients: number, val: unknown): Promise<void> {
  let next = 0;
  const fillNext = async (store: LoadedStore): Promise<void> => {
    for (let key = keys[next++]; key !== undefined;) {
      try {
        await store.write(key, ABSENT, val);
        key = keys[next++];
      } catch (error) {
        if (!(error instanceof NotServed || error instanceof NetworkError)) throw error;
        await sleep(FILL_PAUSE_MS);
      }
    }
  };
  const share = Math.ceil(clients / stores.length);
  await Promise.all(stores.flatMap((store) => Array.from({ length: share }, () => fillNext(store))));
}
