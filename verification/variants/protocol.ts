import { patch } from './patch.js';
import type { Variant } from './variant.js';

const PROPOSER = 'src/protocol/proposer.ts';
const BALLOT = 'src/protocol/ballot.ts';
const ACCEPTOR = 'src/protocol/memory-acceptor.ts';
const KV = 'src/store/kv.ts';
const BATCH = 'src/store/batch.ts';
const PROMISES = 'src/protocol/promises.ts';

/** The rules of the protocol, each broken by a few lines. */
export const BROKEN_PROTOCOL: readonly Variant[] = [
  {
    name: 'a quorum is one acceptor of three',
    playground: { id: 'quorum' },
    scenario: 'majority',
    seeds: 50,
    seed: 2,
    patches: [
      patch('src/protocol/quorum.ts', 'return set.quorum > 0 && votes >= set.quorum;', 'return set.quorum > 0 && votes >= 1;'),
      patch(
        'src/protocol/quorum.ts',
        "  if (votes >= quorum) return 'won';\n  return votes + outstanding < quorum ?",
        "  if (votes >= 1) return 'won';\n  return votes + outstanding < 1 ?",
      ),
    ],
  },
  {
    name: 'a ballot is used again after a failed accept',
    playground: { id: 'again' },
    scenario: 'majority',
    seeds: 60,
    seed: 2,
    patches: [patch(PROMISES, '    this.#cache.delete(key);\n    return promised;', '    return promised;')],
  },
  {
    name: 'the counter goes back to that of a conflict',
    scenario: 'majority',
    seeds: 100,
    seed: 21,
    patches: [patch(BALLOT, 'this.#counter = Math.max(this.#counter, seen.counter);', 'this.#counter = seen.counter;')],
  },
  {
    name: 'ballots are compared as strings',
    playground: { id: 'strings', isLevel: false },
    scenario: 'majority',
    seeds: 60,
    seed: 2,
    patches: [
      patch(
        BALLOT,
        'return a.era - b.era || a.counter - b.counter || a.proposer - b.proposer || a.incarnation - b.incarnation;',
        "const [x, y] = [a, b].map((c) => [c.era, c.counter, c.proposer, c.incarnation].join('.')); return x < y ? -1 : x > y ? 1 : 0;",
      ),
    ],
  },
  {
    name: 'no proposer in the ballot',
    scenario: 'flexible',
    seeds: 150,
    seed: 5,
    patches: [patch(BALLOT, 'proposer: this.#proposer, incarnation: this.#incarnation };', 'proposer: 0, incarnation: 0 };')],
  },
  {
    name: 'an incarnation is used again after a restart, and a read does not show how far the counter was',
    scenario: 'flexible',
    seeds: 300,
    seed: 39,
    patches: [
      patch(BALLOT, 'proposer: this.#proposer, incarnation: this.#incarnation };', 'proposer: this.#proposer, incarnation: 0 };'),
      patch(PROPOSER, '    this.#counter.fastForward(promise);\n', ''),
    ],
  },
  {
    name: 'prepare admits an equal ballot',
    scenario: 'majority',
    seeds: 60,
    harmless:
      'no ballot is used twice, and after the accept under it the promise has moved on: a prepare that arrives twice is all it admits',
    patches: [patch(ACCEPTOR, 'if (compareBallots(ballot, barrier) <= 0)', 'if (compareBallots(ballot, barrier) < 0)')],
  },
  {
    name: 'two proposers have one number, and prepare admits an equal ballot',
    scenario: 'majority',
    seeds: 60,
    seed: 8,
    patches: [
      patch(BALLOT, 'proposer: this.#proposer, incarnation: this.#incarnation };', 'proposer: 0, incarnation: 0 };'),
      patch(ACCEPTOR, 'if (compareBallots(ballot, barrier) <= 0)', 'if (compareBallots(ballot, barrier) < 0)'),
    ],
  },
  {
    name: 'accept ignores the promise',
    playground: { id: 'promise' },
    scenario: 'majority',
    seeds: 60,
    seed: 3,
    patches: [patch(ACCEPTOR, 'compareBallots(ballot, register.promise) >= 0 && ', '')],
  },
  {
    name: 'a promise is not stored',
    playground: { id: 'stored' },
    scenario: 'majority',
    seeds: 60,
    seed: 11,
    patches: [patch(ACCEPTOR, '    this.registers.set(key, { ...register, promise: ballot });\n', '')],
  },
  {
    name: 'a piggybacked promise is used without a prepare quorum',
    scenario: 'flexible',
    seeds: 60,
    harmless: 'every prepare quorum meets the accept quorum that holds the promise, so nobody below it gets one',
    patches: [
      patch(
        PROPOSER,
        'return containsQuorum(prepare, confirmed) ? { ballot: next, value: change.after, floor: change.floor } : undefined;',
        'return { ballot: next, value: change.after };',
      ),
    ],
  },
  {
    name: 'a cached promise outlives a change of configuration, and a read that shows it overtaken',
    scenario: 'quiet migration',
    seeds: 600,
    seed: 350,
    patches: [patch(PROPOSER, '      this.#promises.clear();\n', ''), patch(PROPOSER, '    this.#promises.dropBelow(key, promise);\n', '')],
  },
  {
    name: 'a read by quorum needs a prepare quorum only',
    playground: { id: 'read' },
    scenario: 'flexible',
    seeds: 60,
    seed: 5,
    patches: [patch('src/reads/quorum-read.ts', '(containsQuorum(accept, nodes) && reply.ballot.era >= era)', 'reply.ballot.era >= era')],
  },
  {
    name: 'a read by quorum needs an accept quorum only',
    scenario: 'flexible',
    seeds: 60,
    seed: 9,
    patches: [
      patch('src/reads/quorum-read.ts', '    if (!containsQuorum(prepare, nodes)) continue;\n', ''),
      patch('src/reads/quorum-read.ts', '    if (isEmpty ||', '    if ((isEmpty && containsQuorum(prepare, nodes)) ||'),
    ],
  },
  {
    name: 'a mismatch is reported from the cache',
    playground: { id: 'cache' },
    scenario: 'majority',
    seeds: 60,
    seed: 2,
    patches: [
      patch(
        PROPOSER,
        '        const change = applyChange(fn, value, floor);\n',
        '        const change = applyChange(fn, value, floor);\n        if (usePromise && kept && change.after === value) return change;\n',
      ),
    ],
  },
  {
    name: 'an unknown write is reported as failed',
    playground: { id: 'failed' },
    scenario: 'majority',
    seeds: 60,
    seed: 2,
    patches: [
      patch(KV, 'if (!batch.isAnySent) return', 'return'),
      patch(BATCH, '(attempt && this.#sent.has(attempt) ? failure : notApplied(failure))', 'notApplied(failure)'),
    ],
  },
  {
    name: 'an acceptor that did not answer is taken for one that did not run the accept',
    scenario: 'majority',
    seeds: 60,
    seed: 1,
    patches: [patch('src/protocol/quorum.ts', '.every((reason) => reason instanceof NotRun)', '.every(() => true)')],
  },
  {
    name: 'a write is repeated blindly, without its operation id',
    playground: { id: 'blind' },
    scenario: 'majority',
    seeds: 60,
    seed: 2,
    patches: [patch(KV, 'return this.#resolve(key, batch, isRescan, mayWait);', 'return this.runBatch(key, operations);')],
  },
  {
    name: 'a look that shows nothing of a write which was sent is taken for a miss',
    scenario: 'majority',
    seeds: 200,
    seed: 3,
    patches: [
      patch(BATCH, '      applied.size === 0 &&', '      [...applied.keys()].every((attempt) => this.#sent.has(attempt)) &&'),
      patch(BATCH, '      [...this.#sent.values()].flat().every((made) => made.ver <= after.ver) &&', ''),
    ],
  },
  {
    name: 'a configuration is swapped without waiting for the rounds in flight',
    scenario: 'stepwise quorums',
    seeds: 200,
    seed: 46,
    patches: [patch(PROPOSER, 'return this.#gate.exclusive(async () => {', 'return (async (task) => task())(async () => {')],
  },
  {
    name: 'no era in the ballot, and a proposer does not catch up with the counters that it meets',
    playground: { id: 'eras' },
    scenario: 'stepwise migration',
    seeds: 400,
    seed: 94,
    patches: [
      patch(BALLOT, 'return { era: this.#era, counter', 'return { era: 0, counter'),
      patch('src/reads/quorum-read.ts', ' && reply.ballot.era >= era)', ')'),
      patch(BALLOT, '    this.#counter = Math.max(this.#counter, seen.counter);\n', ''),
    ],
  },
  {
    name: 'a read by quorum trusts a ballot of an older era',
    scenario: 'stepwise migration',
    seeds: 60,
    harmless:
      'to be proven by mistake, a write left behind would have to be all of a quorum without a rescan between; the order of the steps excludes it',
    patches: [patch('src/reads/quorum-read.ts', ' && reply.ballot.era >= era)', ')')],
  },
];
