import type { Scenario } from '../settings.js';
import type { Patch } from './patch.js';

export interface Variant {
  /** What is wrong with it. */
  readonly name: string;
  readonly patches: readonly Patch[];
  readonly scenario: Scenario;
  /** A violation has to show within so many seeds, from 1 on; of one that is harmless, none. */
  readonly seeds: number;
  /** Why nothing is lost all the same. */
  readonly harmless?: string;
}

const patch = (file: string, find: string, put: string): Patch => ({ file, find, put });

const PROPOSER = 'src/proposer.ts';
const BALLOT = 'src/ballot.ts';
const ACCEPTOR = 'src/memory-acceptor.ts';
const KV = 'src/kv.ts';
const MIGRATION = 'simulation/migration.ts';
const RESCAN = 'node-control/commands/rescan.ts';

/** The rules of the protocol, each broken by a few lines. */
export const VARIANTS: readonly Variant[] = [
  {
    name: 'a quorum is one acceptor of three',
    scenario: 'majority',
    seeds: 50,
    patches: [
      patch('src/quorum.ts', 'return set.quorum > 0 && votes >= set.quorum;', 'return set.quorum > 0 && votes >= 1;'),
      patch('src/votes.ts', 'return votes >= quorum || votes + outstanding < quorum;', 'return votes >= 1 || votes + outstanding < 1;'),
    ],
  },
  {
    name: 'a ballot is used again after a failed accept',
    scenario: 'majority',
    seeds: 200,
    patches: [patch(PROPOSER, '        this.#promised.delete(key);\n', '')],
  },
  {
    name: 'the counter goes back to that of a conflict',
    scenario: 'majority',
    seeds: 200,
    patches: [patch(BALLOT, 'this.#counter = Math.max(this.#counter, seen.counter);', 'this.#counter = seen.counter;')],
  },
  {
    name: 'ballots are compared as strings',
    scenario: 'majority',
    seeds: 200,
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
    seeds: 200,
    patches: [patch(BALLOT, 'proposer: this.#proposer, incarnation: this.#incarnation };', 'proposer: 0, incarnation: 0 };')],
  },
  {
    name: 'an incarnation is used again after a restart',
    scenario: 'flexible',
    seeds: 200,
    patches: [patch(BALLOT, 'proposer: this.#proposer, incarnation: this.#incarnation };', 'proposer: this.#proposer, incarnation: 0 };')],
  },
  {
    name: 'prepare admits an equal ballot',
    scenario: 'majority',
    seeds: 200,
    harmless:
      'no ballot is used twice, and after the accept under it the promise has moved on: a prepare that arrives twice is all it admits',
    patches: [patch(ACCEPTOR, 'if (compareBallots(ballot, barrier) <= 0)', 'if (compareBallots(ballot, barrier) < 0)')],
  },
  {
    name: 'two proposers have one number, and prepare admits an equal ballot',
    scenario: 'majority',
    seeds: 200,
    patches: [
      patch(BALLOT, 'proposer: this.#proposer, incarnation: this.#incarnation };', 'proposer: 0, incarnation: 0 };'),
      patch(ACCEPTOR, 'if (compareBallots(ballot, barrier) <= 0)', 'if (compareBallots(ballot, barrier) < 0)'),
    ],
  },
  {
    name: 'accept ignores the promise',
    scenario: 'majority',
    seeds: 200,
    patches: [patch(ACCEPTOR, 'compareBallots(ballot, register.promise) >= 0 && ', '')],
  },
  {
    name: 'a promise is not stored',
    scenario: 'majority',
    seeds: 200,
    patches: [patch(ACCEPTOR, '    this.registers.set(key, { ...register, promise: ballot });\n', '')],
  },
  {
    name: 'a piggybacked promise is used without a prepare quorum',
    scenario: 'flexible',
    seeds: 200,
    harmless: 'every prepare quorum meets the accept quorum that holds the promise, so nobody below it gets one',
    patches: [patch(PROPOSER, 'if (containsQuorum(prepare, confirmed)) this.#promised', 'this.#promised')],
  },
  {
    name: 'a cached promise outlives a change of configuration',
    scenario: 'stepwise quorums',
    seeds: 400,
    patches: [patch(PROPOSER, '      this.#promised.clear();\n', '')],
  },
  {
    name: 'a read by quorum needs a prepare quorum only',
    scenario: 'flexible',
    seeds: 200,
    patches: [patch('src/votes.ts', '(containsQuorum(accept, nodes) && reply.ballot.era >= era)', 'reply.ballot.era >= era')],
  },
  {
    name: 'a read by quorum needs an accept quorum only',
    scenario: 'flexible',
    seeds: 200,
    patches: [
      patch('src/votes.ts', '    if (!containsQuorum(prepare, nodes)) continue;\n', ''),
      patch('src/votes.ts', '    if (isEmpty ||', '    if ((isEmpty && containsQuorum(prepare, nodes)) ||'),
    ],
  },
  {
    name: 'a mismatch is reported from the cache',
    scenario: 'majority',
    seeds: 200,
    patches: [
      patch(
        PROPOSER,
        '        const next = fn(value);\n',
        '        const next = fn(value);\n        if (cached && next === value) return value;\n',
      ),
    ],
  },
  {
    name: 'an unknown write is reported as failed',
    scenario: 'majority',
    seeds: 200,
    patches: [patch(KV, 'if (!accept.sent) throw unchanged(error);', 'throw unchanged(error);')],
  },
  {
    name: 'a write is repeated blindly, without its operation id',
    scenario: 'majority',
    seeds: 200,
    patches: [patch(KV, 'completed = await this.#resolve(key, change);', 'return this.cas(key, ver, val);')],
  },
  {
    name: 'a configuration is swapped without waiting for the rounds in flight',
    scenario: 'stepwise quorums',
    seeds: 400,
    patches: [patch(PROPOSER, 'return this.#gate.exclusive(async () => {', 'return (async (task) => task())(async () => {')],
  },
  {
    name: 'no era in the ballot',
    scenario: 'stepwise migration',
    seeds: 400,
    patches: [
      patch(BALLOT, 'return { era: this.#era, counter', 'return { era: 0, counter'),
      patch('src/votes.ts', ' && reply.ballot.era >= era)', ')'),
    ],
  },
  {
    name: 'a read by quorum trusts a ballot of an older era',
    scenario: 'stepwise migration',
    seeds: 400,
    harmless:
      'to be proven by mistake, a write left behind would have to be all of a quorum without a rescan between; the order of the steps excludes it',
    patches: [patch('src/votes.ts', ' && reply.ballot.era >= era)', ')')],
  },
  {
    name: 'the rescan is left out when growing',
    scenario: 'stepwise migration',
    seeds: 400,
    patches: [patch(MIGRATION, "  'add-accept all B 2', //\n  'rescan A,B 2',\n", "  'add-accept all B 2', //\n")],
  },
  {
    name: 'the rescan is left out when shrinking',
    scenario: 'stepwise migration',
    seeds: 400,
    patches: [patch(MIGRATION, "  'rm-prepare all C 2',\n  'rescan A,B 2',\n", "  'rm-prepare all C 2',\n")],
  },
  {
    name: 'the rescan does one key only',
    scenario: 'stepwise migration',
    seeds: 400,
    patches: [
      patch(RESCAN, 'await runThrough(configured, [...keys], progress)', 'await runThrough(configured, [...keys].slice(0, 1), progress)'),
    ],
  },
  {
    name: 'the rescan is content with an incomplete listing',
    scenario: 'stepwise migration',
    seeds: 400,
    patches: [patch(RESCAN, 'if (acceptors.length - failures.length < required) {', 'if (acceptors.length - failures.length < 0) {')],
  },
  {
    name: 'the rescan reads from the cache',
    scenario: 'stepwise migration',
    seeds: 400,
    harmless: 'a cached promise is of this configuration: its accept quorum holds the value already',
    patches: [patch(KV, "this.#options.proposer.change(key, identity, 'full')", 'this.#options.proposer.change(key, identity)')],
  },
  {
    name: 'the rescan reads by quorum',
    scenario: 'stepwise migration',
    seeds: 400,
    harmless: 'what is proven in this era is on an accept quorum already, and an empty register has nothing to bring',
    patches: [patch(KV, "    await this.#unchanged(this.#options.proposer.change(key, identity, 'full'));", '    await this.get(key);')],
  },
  {
    name: 'the rescan leaves out keys that hold only a promise',
    scenario: 'stepwise migration',
    seeds: 400,
    harmless: 'with eras, a late accept under an old promise is below every ballot of the configurations after it',
    patches: [
      patch(
        'simulation/acceptor-node.ts',
        'return [...this.#memory.registers.keys()];',
        'return [...this.#memory.registers.entries()].filter(([, { value }]) => value !== null).map(([key]) => key);',
      ),
    ],
  },
  {
    name: 'growing rescans at the end',
    scenario: 'stepwise migration',
    seeds: 400,
    patches: [
      patch(MIGRATION, "  'rescan A,B 2',\n  'add-prepare all B 2',", "  'add-prepare all B 2',"),
      patch(
        MIGRATION,
        "  'add-prepare all C 2',\n];\n\nexport const SHRINK",
        "  'add-prepare all C 2',\n  'rescan A,B 2',\n];\n\nexport const SHRINK",
      ),
    ],
  },
  {
    name: 'growing rescans at the beginning',
    scenario: 'stepwise migration',
    seeds: 400,
    patches: [patch(MIGRATION, "  'add-accept all B 2', //\n  'rescan A,B 2',", "  'rescan A 1',\n  'add-accept all B 2',")],
  },
  {
    name: 'shrinking rescans at the beginning',
    scenario: 'stepwise migration',
    seeds: 400,
    patches: [
      patch(
        MIGRATION,
        "  'rm-accept all C 2', //\n  'rm-prepare all C 2',\n  'rescan A,B 2',",
        "  'rescan A,B 2',\n  'rm-accept all C 2',\n  'rm-prepare all C 2',",
      ),
    ],
  },
  {
    name: 'an acceptor joins again without a wipe',
    scenario: 'stepwise migration',
    seeds: 400,
    harmless: 'after the rescans of shrinking all it holds is of an older era than what was acknowledged: it is like one that was slow',
    patches: [patch(MIGRATION, "  'wipe-acceptor B', //\n  'wipe-acceptor C',\n", '')],
  },
  {
    name: 'an acceptor is wiped and joins again without a rescan between',
    scenario: 'stepwise migration',
    seeds: 400,
    patches: [
      patch(
        MIGRATION,
        'export const SHRINK = [',
        "export const SHRINK = ['rm-accept all C 2', 'rm-prepare all C 2', 'wipe-acceptor C', 'add-accept all C 2', 'add-prepare all C 2',",
      ),
    ],
  },
  {
    name: 'an acceptor loses its disk in a crash',
    scenario: 'majority',
    seeds: 200,
    patches: [
      patch(
        'simulation/acceptor-node.ts',
        '    this.#isUp = false;\n',
        '    this.#isUp = false;\n    this.#memory = new MemoryAcceptor();\n',
      ),
    ],
  },
];
