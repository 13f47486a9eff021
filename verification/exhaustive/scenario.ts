import { acceptorsOf, type Configuration } from '../../src/protocol/configuration.js';

/**
 * `cas` writes over what its client last saw, `create` over nothing, `append` and `delete` whatever there is, `named` appends the same under the same
 * name for every client; `get` reads by quorum and else by a round, `settle` reads by a round at once.
 */
export type Kind = 'cas' | 'create' | 'append' | 'named' | 'delete' | 'get' | 'settle';

/** One small world of which every execution is visited. */
export interface Scenario {
  readonly name: string;
  /** What it shows, in a few words. */
  readonly title: string;
  readonly configuration: Configuration;
  /** What the client of each proposer does, one operation after the other. */
  readonly scripts: readonly (readonly Kind[])[];
  /** The number of each proposer, 1, 2, … unless a test wants two of a kind. */
  readonly ids?: readonly number[];
  /** How many requests or replies may be lost, or come too late, so that a phase ends without them. */
  readonly losses: number;
  /** How many rounds a write may make to find out what became of its accept. */
  readonly resolutions: number;
  /** What the control node does meanwhile, step by step: from the sets of one step to those of the next. */
  readonly steps: readonly StepSets[];
  /** How many collections begin, at any moment. */
  readonly collections?: number;
  /** A rescan by copying begins, at any moment. */
  readonly copy?: CopyPlan;
  readonly begun?: Begun;
  /** Short enough for every run of the CI. */
  readonly isQuick: boolean;
  /** Nobody has seen its end: it runs where it is named, and not with all. */
  readonly isUnended?: boolean;
}

/** The first operations of the first client have been told their outcome when the search begins: each message arrived, in their order, but for the late ones. */
export interface Begun {
  readonly operations: number;
  readonly late: readonly LateAccept[];
  /** What the sets of all proposers have become since. */
  readonly then?: StepSets;
}

export interface CopyPlan {
  /** The acceptors that are listed, and how many of them a value rests on at least one of. */
  readonly sources: readonly string[];
  readonly required: number;
  /** The sets of the step that follows it, and counts on it, if there is one. */
  readonly then?: StepSets;
}

/** An accept that arrives at any moment of the search, or never. */
export interface LateAccept {
  readonly acceptor: string;
  /** Counted from 1. */
  readonly operation: number;
  /** Whether it arrived in its time as well, and this is a second copy. */
  readonly isAgain: boolean;
}

export type StepSets = Pick<Configuration, 'prepare' | 'accept'>;

/** One write of the control node to one proposer. */
export interface AdminWrite {
  readonly proposer: number;
  readonly configuration: Configuration;
}

/** The writes of the steps, as node-control makes them: the next era claimed on every proposer, sets unchanged, then the new sets with the era after. */
export function adminWritesOf({ configuration, steps, scripts }: Scenario): AdminWrite[] {
  const writes: AdminWrite[] = [];
  let present = configuration;
  for (const sets of steps) {
    for (const next of [
      { ...present, era: present.era + 1 },
      { ...sets, era: present.era + 2 },
    ]) {
      for (const proposer of scripts.keys()) writes.push({ proposer, configuration: next });
      present = next;
    }
  }
  return writes;
}

/**
 * The acceptors that nothing tells apart but their names, in groups: each set of the scenario holds all of a group or none. No line of the
 * proposer looks into a name, so that exchanging two of a group in an execution gives an execution.
 */
export function alikeAcceptors({ configuration, steps, copy }: Scenario): string[][] {
  // A copy goes from one of them to another, by name.
  if (copy) return acceptorNames({ configuration, steps }).map((name) => [name]);
  const sets = [configuration, ...steps].flatMap(({ prepare, accept }) => [prepare.nodes, accept.nodes]);
  const groups = new Map<string, string[]>();
  for (const name of acceptorNames({ configuration, steps })) {
    const membership = sets.map((nodes) => (nodes.includes(name) ? 'in' : 'out')).join();
    groups.set(membership, [...(groups.get(membership) ?? []), name]);
  }
  return [...groups.values()];
}

/** Every acceptor that is ever in a set. */
export function acceptorNames({ configuration, steps }: Pick<Scenario, 'configuration' | 'steps'>): string[] {
  return [...new Set([acceptorsOf(configuration), ...steps.map((sets) => acceptorsOf({ ...sets, era: 0 }))].flat())].sort();
}
