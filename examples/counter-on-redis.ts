// Two processes increment one counter on three Redis servers, whose addresses are the arguments:
//   node counter-on-redis.ts 127.0.0.1:7001 127.0.0.1:7002 127.0.0.1:7003
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createStore, NotApplied, type Store, type Versioned, VersionMismatch } from 'caspaxos-demo';
import { stateFolder } from 'caspaxos-demo/node';
import { redisAcceptors } from 'caspaxos-demo/redis';

const nodes = process.argv.slice(2);
/** Each process is a proposer with a number and a folder of its own, which must outlast it: no ballot may be used twice. */
async function openStore(id: number): Promise<Store> {
  const store = createStore({ id, state: await stateFolder(`state-${id}`), acceptors: redisAcceptors() });
  const majority = { nodes, quorum: 2 };
  if (store.configuration.era === 0) await store.reconfigure({ era: 1, prepare: majority, accept: majority });
  return store;
}

async function increment(store: Store): Promise<Versioned> {
  for (;;) {
    try {
      const { ver, val } = await store.get('counter');
      return await store.cas('counter', ver, Number(val) + 1);
    } catch (error) {
      // Nothing was written, so it may be repeated. After any other error it may not: the increment may count already.
      if (!(error instanceof VersionMismatch || error instanceof NotApplied)) throw error;
    }
  }
}

const id = Number(process.env['PROPOSER']);
if (!id) {
  const workers = [1, 2].map((number) => fork(import.meta.filename, nodes, { env: { ...process.env, PROPOSER: String(number) } }));
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  process.exitCode = workers.every(({ exitCode }) => exitCode === 0) ? 0 : 1;
} else {
  const store = await openStore(id);
  for (let count = 0; count < 50; count += 1) await increment(store);
  console.log(`proposer ${id}: the counter is at ${String((await store.get('counter')).val)} after 50 increments of mine`);
  await store.close();
}
