// Two proposers share three acceptors in memory: no server, no disk, all in one process.
import { createStore, memoryAcceptors, memoryState, VersionMismatch } from 'caspaxos-demo';

const acceptors = memoryAcceptors();
const first = createStore({ id: 1, state: memoryState(), acceptors });
const second = createStore({ id: 2, state: memoryState(), acceptors });

// Any two of the three are a quorum, so one acceptor may fail.
const majority = { nodes: ['a', 'b', 'c'], quorum: 2 };
for (const store of [first, second]) await store.reconfigure({ era: 1, prepare: majority, accept: majority });

// Version 0 says that the key must not exist yet.
console.log('created: ', await first.cas('colour', 0, 'green'));
console.log('read:    ', await second.get('colour'));
console.log('replaced:', await second.cas('colour', 1, 'blue'));

try {
  await first.cas('colour', 1, 'red');
} catch (error) {
  // Anything else would be no answer: NotApplied says that nothing was written, CommitError that nobody knows.
  if (!(error instanceof VersionMismatch)) throw error;
  console.log('refused: ', error.message);
}

await Promise.all([first.close(), second.close()]);
