import type { QuorumSet } from '../../src/protocol/quorum.js';
import { acceptorsOf } from '../../src/protocol/configuration.js';
import type { Kind, LateAccept, Scenario, StepSets } from './scenario.js';

function anyOf(quorum: number, ...nodes: readonly string[]): QuorumSet {
  return { nodes, quorum };
}

const ONE = anyOf(1, 'a1');
const TWO = anyOf(2, 'a1', 'a2');
const THREE = anyOf(2, 'a1', 'a2', 'a3');

/** The sets on the way of a cluster from one acceptor to three, in this order, and back. */
const ONLY_1: StepSets = { prepare: ONE, accept: ONE };
const ACCEPT_2: StepSets = { prepare: ONE, accept: TWO };
const BOTH_2: StepSets = { prepare: TWO, accept: TWO };
const ACCEPT_3: StepSets = { prepare: TWO, accept: THREE };
const BOTH_3: StepSets = { prepare: THREE, accept: THREE };
/** On the way back a3 leaves the accept set first. */
const PREPARE_3: StepSets = { prepare: THREE, accept: TWO };
const ANY = anyOf(1, 'a1', 'a2', 'a3');
const ALL = anyOf(3, 'a1', 'a2', 'a3');
/** Quorums that need not have the same size, as long as they meet. */
const ACCEPT_ANY: StepSets = { prepare: ALL, accept: ANY };
const ACCEPT_ALL: StepSets = { prepare: ANY, accept: ALL };

const KINDS: Readonly<Record<string, Kind>> = { w: 'cas', c: 'create', a: 'append', n: 'named', d: 'delete', g: 'get', s: 'settle' };

type Extent = Partial<Pick<Scenario, 'losses' | 'resolutions' | 'isQuick' | 'isUnended' | 'collections'>>;

/**
 * @param operations of each client: w is a write over what it saw, c one over nothing, a an append whatever there is, n one under a name that all
 *   clients use for it, d a deletion, g a read by quorum or else by a round, s a read by a round at once
 * @param way the sets that the proposers begin with, and those that the control node makes of them step by step
 */
function scenario(name: string, operations: string, title: string, extent: Extent = {}, way: readonly StepSets[] = [BOTH_3]): Scenario {
  const scripts = operations.split('-').map((script) => script.split('').map((letter) => KINDS[letter] ?? 'get'));
  const [first = BOTH_3, ...steps] = way;
  return { name, title, scripts, configuration: { era: 1, ...first }, losses: 1, resolutions: 1, steps, isQuick: true, ...extent };
}

const LONG: Extent = { isQuick: false };
const UNENDED: Extent = { ...LONG, isUnended: true };

/** A key was created and deleted through the first proposer when the search begins, and is collected while it goes on. */
function collection(
  name: string,
  operations: string,
  title: string,
  late: readonly LateAccept[] = [],
  extent: Extent = {},
  way: StepSets = BOTH_2,
): Scenario {
  const { configuration, ...rest } = scenario(name, operations, title, { losses: 0, collections: 1, ...extent }, [way]);
  const identities = Object.fromEntries(acceptorsOf(configuration).map((acceptor) => [acceptor, `${acceptor}#1`]));
  return { ...rest, configuration: { ...configuration, identities }, begun: { operations: 2, late } };
}

/** The accept of the create comes once more; the one of the deletion has not come yet. */
const CREATE_AGAIN: readonly LateAccept[] = [{ acceptor: 'a1', operation: 1, isAgain: true }];
const LATE_DELETION: readonly LateAccept[] = [{ acceptor: 'a2', operation: 2, isAgain: false }];
const PAIR_ACCEPT_ALL: StepSets = { prepare: anyOf(1, 'a1', 'a2'), accept: TWO };
const PAIR_ACCEPT_ANY: StepSets = { prepare: TWO, accept: anyOf(1, 'a1', 'a2') };

/** The step that follows on a copying counts on a2 alone. */
const ONLY_FROM_2: StepSets = { prepare: anyOf(1, 'a2'), accept: TWO };

/** A key was created when the search begins, by quorums of which a2 need not have been one, and is copied while it goes on. */
function copying(name: string, operations: string, title: string, extent: Extent = {}): Scenario {
  const { collections = 0, ...rest } = collection(name, operations, title, [], { collections: 0, ...extent }, PAIR_ACCEPT_ANY);
  const begun = { operations: 1, late: LATE_CREATE, then: BOTH_2 };
  return { ...rest, collections, begun, copy: { sources: ['a1', 'a2'], required: 2, then: ONLY_FROM_2 } };
}

/** Nothing is there when the search begins, and every acceptor has what an accept quorum has. */
function copyingAnew(name: string, operations: string, title: string, extent: Extent = {}): Scenario {
  const begun = { operations: 0, late: [] };
  const made = collection(name, operations, title, [], { collections: 0, resolutions: 0, ...extent }, PAIR_ACCEPT_ALL);
  return { ...made, begun, copy: { sources: ['a1', 'a2'], required: 1 } };
}

const LATE_CREATE: readonly LateAccept[] = [{ acceptor: 'a2', operation: 1, isAgain: false }];

export const SCENARIOS: readonly Scenario[] = [
  scenario('w-w', 'w-w', 'two writes'),
  scenario('w-g', 'w-g', 'a write, and a read by quorum'),
  scenario('w-s', 'w-s', 'a write, and a read by a round'),
  scenario('ww-g', 'ww-g', 'two writes, the second on a piggybacked promise, and a read by quorum'),
  scenario('ww-s', 'ww-s', 'two writes, and a read by a round'),
  scenario('w-gg', 'w-gg', 'a write, and two reads by quorum'),
  scenario('w-gw', 'w-gw', 'a write, and a write that comes after a read'),
  scenario('ww-gg', 'ww-gg', 'two writes, and two reads by quorum'),
  scenario('w-w-accept-any', 'w-w', 'two writes, prepare quorum 3 and accept quorum 1', {}, [ACCEPT_ANY]),
  scenario('w-w-accept-all', 'w-w', 'two writes, prepare quorum 1 and accept quorum 3', {}, [ACCEPT_ALL]),
  scenario('w-g-accept-any', 'w-g', 'a write, and a read by quorum, prepare quorum 3 and accept quorum 1', {}, [ACCEPT_ANY]),
  scenario('w-gg-accept-all', 'w-gg', 'a write, and two reads by quorum, prepare quorum 1 and accept quorum 3', {}, [ACCEPT_ALL]),
  scenario('ww-gw-accept-any', 'ww-gw', 'two writes, and a write that comes after a read, prepare quorum 3 and accept quorum 1', {}, [
    ACCEPT_ANY,
  ]),
  scenario('wsw', 'wsw', 'a write, a read by a round and a write by one client, two losses', { losses: 2 }),
  scenario('wsw-g-pair', 'wsw-g', 'the same beside a read by quorum, two acceptors, both needed', {}, [BOTH_2]),
  scenario('www-s', 'www-s', 'three writes, and a read by a round'),
  scenario('a-a', 'a-a', 'two appends'),
  scenario('n-n', 'n-n', 'an append that is sent through both proposers under one name'),
  scenario('n-dn', 'n-dn', 'the same, and a deletion before the second sending', LONG),
  scenario('nd-n', 'nd-n', 'the same, and a deletion after the first one', LONG),
  scenario('ad-c', 'ad-c', 'an append and a deletion, and a create', LONG),
  scenario('ww-w', 'ww-w', 'two writes, and one', LONG),
  scenario('wg-w', 'wg-w', 'a write and a read after it, and a write', LONG),
  scenario('ww-gw', 'ww-gw', 'two writes, and a write that comes after a read, nothing lost', { ...LONG, losses: 0 }),
  scenario('ww-ww', 'ww-ww', 'two writes each, nothing lost', { ...LONG, losses: 0 }),
  scenario('w-w-two-losses', 'w-w', 'two writes, two losses', { ...LONG, losses: 2 }),
  scenario('w-w-two-resolutions', 'w-w', 'two writes, two attempts to find out what became of each, nothing lost', {
    ...LONG,
    losses: 0,
    resolutions: 2,
  }),
  scenario('add-accept-2', 'ww-w', 'two writes, and one, while a2 joins the accept set of a1', {}, [ONLY_1, ACCEPT_2]),
  scenario('add-prepare-2', 'ww-w', 'two writes, and one, while a2 joins the prepare set of a1', LONG, [ACCEPT_2, BOTH_2]),
  scenario('add-accept-3', 'ww-w', 'two writes, and one, while a3 joins the accept set of a1 and a2', LONG, [BOTH_2, ACCEPT_3]),
  scenario('add-prepare-3', 'w-w', 'two writes, while a3 joins the prepare set of a1 and a2', LONG, [ACCEPT_3, BOTH_3]),
  scenario('rm-accept-3', 'w-w', 'two writes, while a3 leaves the accept set, nothing lost', { ...LONG, losses: 0 }, [BOTH_3, PREPARE_3]),
  scenario('rm-prepare-3', 'w-w', 'two writes, while a3 leaves the prepare set', LONG, [PREPARE_3, BOTH_2]),
  scenario('rm-prepare-2', 'ww-w', 'two writes, and one, while a2 leaves the prepare set', LONG, [BOTH_2, ACCEPT_2]),
  scenario('grow-w-s', 'w-s', 'a write, and a read by a round, in three steps from one acceptor in the prepare set to three', {}, [
    ACCEPT_2,
    BOTH_2,
    ACCEPT_3,
    BOTH_3,
  ]),
  scenario('grow-w-w', 'w-w', 'two writes in the same three steps', LONG, [ACCEPT_2, BOTH_2, ACCEPT_3, BOTH_3]),
  collection('collect-c', 'cd-c', 'a key is collected and created anew, and the accept of its first value comes once more', CREATE_AGAIN),
  collection('collect-lossy', 'cd-c', 'the same, one loss', CREATE_AGAIN, { losses: 1 }),
  collection('collect-3', 'cd-c', 'the same as collect-c, three acceptors', CREATE_AGAIN, {}, BOTH_3),
  collection('collect-late-d', 'cd-c', 'the same, the deletion is late on one of two, accept quorum 1', LATE_DELETION, {}, PAIR_ACCEPT_ANY),
  collection('collect-c-c', 'cdc-c', 'a key is collected while two create it'),
  collection('collect-s-c', 'cds-c', 'a key is collected, read by a round, and created', CREATE_AGAIN),
  collection('collect-sc-s', 'cdsc-s', 'a key is collected, read by rounds, and created on the promise of one of these reads'),
  collection('collect-twice', 'cd-c', 'two collections at once while the key is created', CREATE_AGAIN, { collections: 2 }),
  collection('collect-c-c-lossy', 'cdc-c', 'the same as collect-c-c, one loss', [], { ...LONG, losses: 1 }),
  collection('collect-c-c-any', 'cdc-c', 'the same as collect-c-c, prepare quorum 2 and accept quorum 1', [], LONG, PAIR_ACCEPT_ANY),
  collection(
    'collect-s-c-all',
    'cds-c',
    'the same as collect-s-c, prepare quorum 1 and accept quorum 2',
    CREATE_AGAIN,
    LONG,
    PAIR_ACCEPT_ALL,
  ),
  collection(
    'collect-cd-c',
    'cdcd-c',
    'a key is collected, created by two and deleted, accept quorum 1',
    CREATE_AGAIN,
    LONG,
    PAIR_ACCEPT_ANY,
  ),
  copying('copy-g', 'c-g', 'a key is copied and read by quorum, and the accept of its value is late'),
  copying('copy-a', 'c-a', 'a key is copied while another client appends to it, and the accept of its value is late'),
  copying('copy-collect', 'cd', 'the same, while it is deleted and collected', { collections: 1 }),
  copying('copy-a-s', 'ca-s', 'the same as copy-a, while one appends to it and another reads it by a round', LONG),
  copying('copy-a-a', 'ca-a', 'the same, while two append to it', LONG),
  copyingAnew('copy-c-c', 'c-c', 'a key is copied while two create it, prepare quorum 1 and accept quorum 2', UNENDED),
];
