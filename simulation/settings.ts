import { randomFrom } from '../client/random.js';
import { type Configuration, EMPTY_CONFIGURATION } from '../src/configuration.js';
import { GROW, SHRINK, START, WIPE } from './migration.js';
import type { NetworkSettings } from './network.js';

export const SCENARIOS = ['majority', 'flexible', 'migration', 'quiet migration'] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** What can go wrong in a run; each can be left out. */
export const FAULTS = ['loss', 'duplication', 'late', 'cuts', 'slow', 'proposer-crashes', 'acceptor-crashes', 'operator-deaths'] as const;
export type Fault = (typeof FAULTS)[number];

/** All that a run depends on, besides the code. */
export interface Settings {
  readonly seed: number;
  readonly scenario: Scenario;
  /** How many operations the clients share; and after how many of them everything is mended and read, 0 to that number. */
  readonly operations: number;
  readonly stopAfter: number;
  readonly without: readonly Fault[];
  readonly acceptors: number;
  readonly proposers: number;
  readonly clients: number;
  readonly keys: number;
  readonly reads: number;
  readonly thinkMs: number;
  readonly network: NetworkSettings;
  /** The mean time between two faults of nodes or links, in milliseconds, and how long one lasts at most. */
  readonly faultEveryMs: number;
  readonly faultMs: number;
  readonly deaths: number;
  readonly doubles: number;
  readonly configuration: Configuration;
  /** What the operator types, in this order: some before the clients begin, the others while they run. */
  readonly start: readonly string[];
  readonly commands: readonly string[];
}

export interface Overrides {
  readonly scenario?: Scenario;
  readonly operations?: number;
  readonly stopAfter?: number;
  readonly without?: readonly Fault[];
}

/** Draws a run from its seed, 0 to 2^32 - 1. What is overridden does not change what else is drawn. */
export function settingsFor(seed: number, { scenario, operations = 200, stopAfter = operations, without = [] }: Overrides = {}): Settings {
  const random = randomFrom(seed);
  const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  const drawn = oneOf(SCENARIOS);
  const chosen = scenario ?? drawn;
  const isMigration = chosen === 'migration' || chosen === 'quiet migration';
  const isQuiet = chosen === 'quiet migration';

  const quorums = chosen === 'flexible' ? oneOf(FLEXIBLE) : majority(between(1, 5));
  const passes = oneOf([1, 1, 2]);
  const commands = isMigration ? [...Array.from({ length: passes }, () => [...GROW, ...SHRINK, ...WIPE]).flat(), ...GROW] : [];
  const delayMs = oneOf([1, 3, 10]);
  const faultEveryMs = oneOf([50, 200, 800]);
  const has = (fault: Fault, chance: number): boolean => random() < chance && !without.includes(fault);
  const loss = oneOf([0.01, 0.05, 0.2]);
  const network: NetworkSettings = {
    delayMs,
    late: has('late', 0.5) ? oneOf([0.01, 0.05]) : 0,
    lateMs: oneOf([50, 500, 3000]),
    loss: has('loss', isQuiet ? 0.3 : 0.6) ? loss : 0,
    resets: oneOf([0, 0.5]),
    duplication: has('duplication', 0.3) ? 0.05 : 0,
  };
  return {
    seed,
    scenario: chosen,
    operations,
    stopAfter,
    without,
    acceptors: isMigration ? 3 : quorums.acceptors,
    proposers: oneOf([2, 2, 3]),
    clients: between(2, 5),
    keys: isQuiet ? between(4, 9) : between(1, 3),
    reads: oneOf([0.1, 0.4, 0.7]),
    thinkMs: isQuiet ? oneOf([50, 200]) : oneOf([0, 5, 50]),
    network,
    faultEveryMs,
    faultMs: faultEveryMs * oneOf([0.5, 1, 2]),
    deaths: has('operator-deaths', 0.6) ? oneOf([0.1, 0.5]) : 0,
    doubles: has('operator-deaths', 0.2) ? 0.2 : 0,
    configuration: isMigration ? EMPTY_CONFIGURATION : configurationOf(quorums),
    start: isMigration ? START : [],
    commands,
  };
}

interface Quorums {
  readonly acceptors: number;
  readonly prepare: number;
  readonly accept: number;
}

/** Prepare and accept quorums of different sizes that meet: the larger phase is the rarer one in the first two. */
const FLEXIBLE: readonly Quorums[] = [
  { acceptors: 4, prepare: 3, accept: 2 },
  { acceptors: 5, prepare: 4, accept: 2 },
  { acceptors: 4, prepare: 2, accept: 3 },
  { acceptors: 3, prepare: 1, accept: 3 },
  { acceptors: 3, prepare: 3, accept: 1 },
];

function majority(acceptors: number): Quorums {
  const quorum = Math.floor(acceptors / 2) + 1;
  return { acceptors, prepare: quorum, accept: quorum };
}

function configurationOf({ acceptors, prepare, accept }: Quorums): Configuration {
  const nodes = Array.from({ length: acceptors }, (_, index) => acceptorName(index + 1));
  return { era: 1, prepare: { nodes, quorum: prepare }, accept: { nodes, quorum: accept } };
}

export function acceptorName(number: number): string {
  return `acceptor-${number}:6379`;
}
