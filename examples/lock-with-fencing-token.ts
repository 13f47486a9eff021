// A lock with a lease. The version at which it was taken is its fencing token: it only grows, and the resource refuses an older one.
import { setTimeout as sleep } from 'node:timers/promises';
import { createStore, memoryAcceptors, memoryState, type Store, VersionMismatch } from 'caspaxos-demo';

const LEASE_MS = 100;
/** Waits for the lock and returns the token. The lease of a holder that stalled or died runs out. */
async function acquire(store: Store, key: string, owner: string): Promise<number> {
  for (;;) {
    const { ver, val } = await store.get(key);
    const held = val as { owner: string; untilMs: number } | null;
    if (held && held.untilMs > Date.now()) await sleep(LEASE_MS / 10);
    else {
      try {
        return (await store.cas(key, ver, { owner, untilMs: Date.now() + LEASE_MS })).ver;
      } catch (error) {
        if (!(error instanceof VersionMismatch)) throw error;
      }
    }
  }
}

let highest = 0;
/** What the lock protects. Clocks may be wrong and a holder may be late: the token, not the lease, keeps it out. */
function write(token: number, text: string): string {
  if (token < highest) return `refused: token ${token} is older than ${highest}`;
  highest = token;
  return `token ${token} wrote "${text}"`;
}

const acceptors = memoryAcceptors();
const [alice, bob] = [1, 2].map((id) => createStore({ id, state: memoryState(), acceptors })) as [Store, Store];
const majority = { nodes: ['a', 'b', 'c'], quorum: 2 };
for (const store of [alice, bob]) await store.reconfigure({ era: 1, prepare: majority, accept: majority });

const token = await acquire(alice, 'lock', 'alice');
console.log('alice:', write(token, 'hello from alice'));
console.log('alice stalls, and her lease runs out');
console.log('bob:  ', write(await acquire(bob, 'lock', 'bob'), 'hello from bob'));
console.log('alice:', write(token, 'late words of alice'));
await Promise.all([alice.close(), bob.close()]);
