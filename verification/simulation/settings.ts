import { randomFrom } from '../../client/random.js';
import { type Configuration, EMPTY_CONFIGURATION } from '../../src/protocol/configuration.js';
import type { NetworkSettings } from './faulty-network.js';
import { acceptorName } from './node-names.js';
import { configurationOf, FLEXIBLE, majority } from './quorums.js';
import { type ScenarioName, SCENARIOS } from './scenario-names.js';
import { type Typed, typedIn } from './typed.js';

/** What can go wrong in a run; each can be left out. */
export const FAULTS = [
  'loss',
  'duplication',
  'late',
  'cuts',
  'left-behind',
  'slow',
  'proposer-crashes',
  'acceptor-crashes',
  'disk-losses',
  'old-disks',
  'old-folders',
  'operator-deaths',
] as const;
export type FaultName = (typeof FAULTS)[number];

/** All that a run depends on, besides the code. */
export interface RunSettings {
  readonly seed: number;
  readonly scenario: ScenarioName;
  /** Whether clients and faults keep step with the operator's commands. */
  readonly isStepwise: boolean;
  /** How many operations the clients share; and after how many of them everything is mended and read, 0 to that number. */
  readonly operations: number;
  readonly stopAfter: number;
  readonly without: readonly FaultName[];
  readonly acceptors: number;
  readonly proposers: number;
  readonly clients: number;
  readonly keys: number;
  readonly reads: number;
  /** The share of writes that change a key whatever it holds, or delete it; 0: all are compare-and-sets. */
  readonly changes: number;
  readonly thinkMs: number;
  /** The longest that a proposer waits for an acceptor, in milliseconds: some rounds are shorter than a step of the operator, some longer. */
  readonly timeoutMs: number;
  /** How long a proposer looks for the outcome of an accept that failed, in milliseconds; 0: by one round. */
  readonly resolveMs: number;
  readonly network: NetworkSettings;
  /** How many times longer messages between proposers and acceptors take: with far acceptors a round takes as long as several steps. */
  readonly distance: number;
  /** The mean time between two faults of nodes or links, in milliseconds, and how long one lasts at most. */
  readonly faultEveryMs: number;
  readonly faultMs: number;
  /** Which share of the kinds of faults a run knows, from 0 to 1, and which of them in any case. */
  readonly variety: number;
  readonly always: readonly FaultName[];
  /** Whether an acceptor that the cluster can do without may come back empty from a crash. */
  readonly canLoseDisks: boolean;
  /**
   * Whether an acceptor that the cluster can do without may come back with its disk of an earlier moment: from so long ago that what proposers have on
   * their disks shows it, or from just now, which the processes have to live for that were told more. Acceptors are greeted where they may.
   */
  readonly oldDisks: 'old' | 'a little older' | undefined;
  /**
   * Whether a proposer may come back with a state folder from before its last change of configuration, where enough acceptors know of a later one.
   * Acceptors are greeted where it may.
   */
  readonly oldFolders: boolean;
  /** How many of the commands follow the one before at once, from 0 to 1. */
  readonly haste: number;
  /** See `Operator`. */
  readonly deaths: number;
  readonly interruptions: number;
  readonly doubles: number;
  /** Whether a second operator types what comes to mind, and not the same. */
  readonly isAnarchic: boolean;
  /** How many of the commands that rescan do so by rounds, where registers could be copied, from 0 to 1. */
  readonly byRounds: number;
  /** How often a command may be refused before the operator goes on to the next one. */
  readonly attempts: number;
  readonly configuration: Configuration;
  readonly typed: Typed;
}

export interface Overrides {
  readonly scenario?: ScenarioName;
  readonly operations?: number;
  readonly stopAfter?: number;
  readonly without?: readonly FaultName[];
}

/** An old disk is believed only where another acceptor missed something, too. */
const OLD_DISKS_AMONG: readonly FaultName[] = ['old-disks', 'cuts', 'acceptor-crashes', 'proposer-crashes'];
const OLD_FOLDERS_AMONG: readonly FaultName[] = ['old-folders', 'left-behind', 'proposer-crashes'];

/** Which acceptor is the one to start with, the second, the third: proposers ask them in the order in which they were added. */
const ORDERS = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
];

/** Draws a run from its seed, 0 to 2^32 - 1. What is overridden does not change what else is drawn. */
export function settingsFor(seed: number, { scenario, operations, stopAfter, without = [] }: Overrides = {}): RunSettings {
  const random = randomFrom(seed);
  const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  const drawn = oneOf(SCENARIOS);
  const chosen = scenario ?? drawn;
  const isMigration = chosen.endsWith('migration');
  const isStepwise = chosen.startsWith('stepwise') || chosen === 'any commands';
  const isCollected = chosen.endsWith('collections');
  const oldFolders = chosen === 'old folders';
  const isFree = chosen.endsWith('resize') || chosen === 'any commands' || isCollected || oldFolders;
  const isQuiet = isStepwise || isFree || chosen === 'quiet migration';
  const shared = operations ?? 200;

  const quorums = chosen === 'flexible' ? oneOf(FLEXIBLE) : majority(chosen === 'majority' ? between(1, 5) : 3);
  const names = oneOf(ORDERS).map(acceptorName);
  const passes = Array.from({ length: oneOf([1, 1, 2]) }, () => ({ isFlexible: oneOf([true, false]) }));
  const delayMs = isQuiet ? 1 : oneOf([1, 3, 10]);
  const distance = isQuiet ? 1 : oneOf([1, 1, 5]);
  const roundTripMs = 2 * delayMs * distance;
  const faultEveryMs = isStepwise ? oneOf([20, 50]) : isQuiet ? 50 : oneOf([50, 200, 800]);
  const has = (fault: FaultName, chance: number): boolean => random() < chance && !without.includes(fault);
  // With one message in five lost no resize ever comes to its end.
  const loss = isFree ? oneOf([0.01, 0.02, 0.05]) : oneOf([0.01, 0.05, 0.2]);
  const network: NetworkSettings = {
    delayMs,
    late: has('late', 0.5) ? oneOf([0.01, 0.05]) : 0,
    lateMs: oneOf([50, 500, 3000]),
    loss: has('loss', isQuiet ? 0.3 : 0.6) ? loss : 0,
    resets: oneOf([0, 0.5]),
    duplication: has('duplication', 0.3) ? 0.05 : 0,
  };
  const acceptors = isMigration ? 3 : chosen === 'any commands' ? oneOf([3, 3, 4]) : isFree ? oneOf([3, 4, 5]) : quorums.acceptors;
  const proposers = oneOf([2, 2, 3]);
  return {
    seed,
    scenario: chosen,
    isStepwise,
    operations: shared,
    stopAfter: stopAfter ?? shared,
    without,
    acceptors,
    proposers,
    clients: between(2, 5),
    keys: isStepwise ? between(1, 2) : isCollected ? between(1, 3) : isQuiet ? between(6, 12) : oneOf([1, 1, 2, 3, 10]),
    reads: isQuiet ? 0.1 : oneOf([0.1, 0.4, 0.7]),
    thinkMs: isStepwise ? 5 : isQuiet ? oneOf([10, 50]) : oneOf([0, 5, 50]),
    timeoutMs: (isMigration || isFree) && isQuiet ? 30 : chosen === 'stepwise quorums' ? 300 : oneOf([roundTripMs + 10, 300]),
    resolveMs: isQuiet ? 0 : oneOf([0, 60]),
    haste: isQuiet ? oneOf([0.5, 0.9]) : oneOf([0, 0.5, 0.9]),
    network,
    distance,
    faultEveryMs,
    faultMs: faultEveryMs * oneOf([0.5, 1, 2]),
    variety: isQuiet ? 0.3 : oneOf([0.3, 0.6, 1]),
    always:
      chosen === 'old disks'
        ? OLD_DISKS_AMONG.filter((fault) => !without.includes(fault))
        : oldFolders
          ? OLD_FOLDERS_AMONG.filter((fault) => !without.includes(fault))
          : isQuiet
            ? (['left-behind', 'proposer-crashes'] as const).filter((fault) => !without.includes(fault))
            : [],
    deaths: has('operator-deaths', 0.6) ? oneOf([0.1, 0.5]) : 0,
    interruptions: isFree && isStepwise && !without.includes('operator-deaths') ? 0.3 : 0,
    doubles: has('operator-deaths', isFree ? 0.4 : 0.2) ? 0.2 : 0,
    canLoseDisks: (isFree || chosen === 'majority' || chosen === 'flexible') && has('disk-losses', 0.4),
    oldDisks: chosen !== 'old disks' ? undefined : seed % 2 === 0 ? 'old' : 'a little older',
    oldFolders,
    isAnarchic: chosen === 'any commands',
    attempts: chosen === 'any commands' ? 2 : isFree ? 50 : 1_000,
    configuration: isMigration || isFree ? EMPTY_CONFIGURATION : configurationOf(quorums),
    typed: typedIn(chosen, { seed, names, passes, acceptors, proposers }),
    changes: isCollected ? 0.7 : oneOf([0, 0.3, 0.7]),
    byRounds: oneOf([0, 0.5, 1]),
  };
}
