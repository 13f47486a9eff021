import { broken, patch, type Variant } from './variant.js';

const PROPOSER = 'src/protocol/proposer.ts';
const BALLOT = 'src/protocol/ballot.ts';
const ACCEPTOR = 'src/protocol/memory-acceptor.ts';
const KV = 'src/store/kv.ts';
const BATCH = 'src/store/batch.ts';
const PROMISES = 'src/protocol/promises.ts';

/** The rules of the protocol, each broken by a few lines. */
export const BROKEN_PROTOCOL: readonly Variant[] = [
  broken('a quorum is one acceptor of three', ['majority', 50, 2], { playground: { id: 'quorum' } }, [
    patch('src/protocol/quorum.ts', 'return set.quorum > 0 && votes >= set.quorum;', 'return set.quorum > 0 && votes >= 1;'),
    patch(
      'src/protocol/quorum.ts',
      "  if (votes >= quorum) return 'won';\n  return votes + outstanding < quorum ?",
      "  if (votes >= 1) return 'won';\n  return votes + outstanding < 1 ?",
    ),
  ]),
  broken('a ballot is used again after a failed accept', ['majority', 60, 2], { playground: { id: 'again' } }, [
    patch(PROMISES, '    this.#cache.delete(key);\n    return promised;', '    return promised;'),
  ]),
  broken('the counter goes back to that of a conflict', ['majority', 100, 37], {}, [
    patch(BALLOT, 'this.#counter = Math.max(this.#counter, seen.counter);', 'this.#counter = seen.counter;'),
  ]),
  broken('ballots are compared as strings', ['majority', 60, 2], { playground: { id: 'strings', isLevel: false } }, [
    patch(
      BALLOT,
      'return a.era - b.era || a.counter - b.counter || a.proposer - b.proposer || a.incarnation - b.incarnation;',
      "const [x, y] = [a, b].map((c) => [c.era, c.counter, c.proposer, c.incarnation].join('.')); return x < y ? -1 : x > y ? 1 : 0;",
    ),
  ]),
  broken('no proposer in the ballot', ['flexible', 150, 5], {}, [
    patch(BALLOT, 'proposer: this.#proposer, incarnation: this.#incarnation };', 'proposer: 0, incarnation: 0 };'),
  ]),
  broken('an incarnation is used again after a restart, and a read does not show how far the counter was', ['flexible', 300, 222], {}, [
    patch(BALLOT, 'proposer: this.#proposer, incarnation: this.#incarnation };', 'proposer: this.#proposer, incarnation: 0 };'),
    patch(PROPOSER, '    this.#counter.fastForward(promise);\n', ''),
  ]),
  broken(
    'prepare admits an equal ballot',
    ['majority', 60],
    {
      harmless:
        'no ballot is used twice, and after the accept under it the promise has moved on: a prepare that arrives twice is all it admits',
    },
    [patch(ACCEPTOR, 'if (compareBallots(ballot, barrier) <= 0)', 'if (compareBallots(ballot, barrier) < 0)')],
  ),
  broken('two proposers have one number, and prepare admits an equal ballot', ['majority', 60, 8], {}, [
    patch(BALLOT, 'proposer: this.#proposer, incarnation: this.#incarnation };', 'proposer: 0, incarnation: 0 };'),
    patch(ACCEPTOR, 'if (compareBallots(ballot, barrier) <= 0)', 'if (compareBallots(ballot, barrier) < 0)'),
  ]),
  broken('accept ignores the promise', ['majority', 60, 3], { playground: { id: 'promise' } }, [
    patch(ACCEPTOR, 'compareBallots(ballot, register.promise) >= 0 && ', ''),
  ]),
  broken('a promise is not stored', ['majority', 60, 3], { playground: { id: 'stored' } }, [
    patch(ACCEPTOR, '    this.registers.set(key, { ...register, promise: ballot });\n', ''),
  ]),
  broken(
    'a piggybacked promise is used without a prepare quorum',
    ['flexible', 60],
    { harmless: 'every prepare quorum meets the accept quorum that holds the promise, so nobody below it gets one' },
    [
      patch(
        PROPOSER,
        'return containsQuorum(prepare, confirmed) ? { ballot: next, value: change.after, floor: change.floor } : undefined;',
        'return { ballot: next, value: change.after };',
      ),
    ],
  ),
  broken('a cached promise outlives a change of configuration, and a read that shows it overtaken', ['quiet migration', 600, 350], {}, [
    patch(PROPOSER, '      this.#promises.clear();\n', ''),
    patch(PROPOSER, '    this.#promises.dropBelow(key, promise);\n', ''),
  ]),
  broken('a read by quorum needs a prepare quorum only', ['flexible', 60, 5], { playground: { id: 'read' } }, [
    patch('src/reads/quorum-read.ts', '(containsQuorum(accept, nodes) && reply.ballot.era >= era)', 'reply.ballot.era >= era'),
  ]),
  broken('a read by quorum needs an accept quorum only', ['flexible', 60, 9], {}, [
    patch('src/reads/quorum-read.ts', '    if (!containsQuorum(prepare, nodes)) continue;\n', ''),
    patch('src/reads/quorum-read.ts', '    if (isEmpty ||', '    if ((isEmpty && containsQuorum(prepare, nodes)) ||'),
  ]),
  broken('a mismatch is reported from the cache', ['majority', 60, 2], { playground: { id: 'cache' } }, [
    patch(
      PROPOSER,
      '        const change = applyChange(fn, value, floor);\n',
      '        const change = applyChange(fn, value, floor);\n        if (usePromise && kept && change.after === value) return change;\n',
    ),
  ]),
  broken('an unknown write is reported as failed', ['majority', 60, 2], { playground: { id: 'failed' } }, [
    patch(KV, 'if (!batch.isAnySent) return', 'return'),
    patch(BATCH, '(attempt && this.#sent.has(attempt) ? failure : notApplied(failure))', 'notApplied(failure)'),
  ]),
  broken('an acceptor that did not answer is taken for one that did not run the accept', ['majority', 60, 1], {}, [
    patch('src/protocol/quorum.ts', '.every((reason) => reason instanceof NotRun)', '.every(() => true)'),
  ]),
  broken('a write is repeated blindly, without its operation id', ['majority', 60, 2], { playground: { id: 'blind' } }, [
    patch(KV, 'return this.#resolve(key, batch, isRescan, mayWait);', 'return this.runBatch(key, operations);'),
  ]),
  broken('a look that shows nothing of a write which was sent is taken for a miss', ['majority', 200, 3], {}, [
    patch(BATCH, '      applied.size === 0 &&', '      [...applied.keys()].every((attempt) => this.#sent.has(attempt)) &&'),
    patch(BATCH, '      [...this.#sent.values()].flat().every((made) => made.ver <= after.ver) &&', ''),
  ]),
  broken('a configuration is swapped without waiting for the rounds in flight', ['stepwise quorums', 200, 46], {}, [
    patch(PROPOSER, 'return this.#gate.exclusive(async () => {', 'return (async (task) => task())(async () => {'),
  ]),
  broken(
    'no era in the ballot, and a proposer does not catch up with the counters that it meets',
    ['stepwise migration', 400, 94],
    { playground: { id: 'eras' } },
    [
      patch(BALLOT, 'return { era: this.#era, counter', 'return { era: 0, counter'),
      patch('src/reads/quorum-read.ts', ' && reply.ballot.era >= era)', ')'),
      patch(BALLOT, '    this.#counter = Math.max(this.#counter, seen.counter);\n', ''),
    ],
  ),
  broken(
    'a read by quorum trusts a ballot of an older era',
    ['stepwise migration', 60],
    {
      harmless:
        'to be proven by mistake, a write left behind would have to be all of a quorum without a rescan between; the order of the steps excludes it',
    },
    [patch('src/reads/quorum-read.ts', ' && reply.ballot.era >= era)', ')')],
  ),
];
