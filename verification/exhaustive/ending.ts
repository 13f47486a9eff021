import { createStore } from '../../src/store/store.js';
import type { Acceptor } from '../../src/protocol/acceptor.js';
import type { Configuration } from '../../src/protocol/configuration.js';
import { StaleConfiguration } from '../../src/protocol/errors.js';
import { checkExactlyOnce } from '../checkers/exactly-once.js';
import { checkFinalState } from '../checkers/final-state.js';
import type { RecordedOperation, State, Violation } from '../checkers/history.js';
import { checkLineage } from '../checkers/lineage.js';
import { checkLinearizability } from '../checkers/linearizability.js';
import { VirtualTime } from '../simulation/virtual-time.js';
import { KEY } from './key.js';
import { operationsOf } from './operations.js';
import { forEachChoice } from './move.js';
import { Computed } from './computed.js';
import type { ScenarioSystem, World } from './world.js';

/** Above every proposer of a scenario. */
const READER_ID = 9;
const READER_TIMEOUT_MS = 1;
/** The first ones may meet higher ballots, which it then goes past. */
const READER_ATTEMPTS = 4;

/** Judges the moments at which every operation has ended. */
export class Endings {
  readonly #system: ScenarioSystem;
  readonly #finals = new Computed<string, State | 'stale' | 'unreadable'>();
  readonly #sound = new Set<string>();
  /** See `History.noteCollection`: after what has begun before the search. */
  readonly #collectedFrom: number | undefined;

  constructor(system: ScenarioSystem) {
    this.#system = system;
    const { collections = 0, begun } = system.scenario;
    this.#collectedFrom = collections > 0 ? 2 * (begun?.operations ?? 0) + 0.5 : undefined;
  }

  /**
   * Lets a third proposer read by a full round, through every choice of acceptors that are a quorum of a configuration in force, after any of the
   * requests that are still under way have arrived, in any order. That read and the operations before it must be linearizable, and so on.
   */
  judge(world: World): Violation | undefined {
    for (const site of world.sites) {
      const { violation } = this.#system.sites.restOf(site);
      if (violation) return violation;
    }
    const operations = operationsOf(world);
    const history = JSON.stringify(operations.map(({ request, returned, invokedAt }) => [request, returned, invokedAt]));
    for (const configuration of configurationsIn(world)) {
      for (const [final, quorum] of this.#finalsFor(world, configuration)) {
        const key = `${history} ${JSON.stringify(final)}`;
        if (this.#sound.has(key)) continue;
        const violation = check(operations, final, this.#collectedFrom);
        if (violation) return { ...violation, message: `${violation.message} (the reader was answered by ${quorum.join(' and ')})` };
        this.#sound.add(key);
      }
    }
    return undefined;
  }

  /** What it can be found to hold, each with one quorum that answers so. */
  #finalsFor({ sites }: World, configuration: Configuration): Map<State | 'unreadable', readonly string[]> {
    const { acceptorNames } = this.#system;
    const registers = sites.map((site) => [...this.#system.sites.restOf(site).registers]);
    const finals = new Map<State | 'unreadable', readonly string[]>();
    const configurationText = JSON.stringify(configuration);
    for (const quorum of quorumsOf(configuration.prepare.nodes, configuration.prepare.quorum)) {
      const choices = acceptorNames.map((name, at) => (quorum.includes(name) ? (registers[at] ?? []) : [sites[at]?.register ?? 0]));
      forEachChoice(choices, (held) => {
        const key = `${configurationText} ${quorum.join()} ${held.join()}`;
        const final = this.#finals.get(key, () => this.#read(configuration, quorum, [...held]));
        if (final !== 'stale') finals.set(final, quorum);
      });
    }
    return finals;
  }

  /** @returns `stale` where the reader's configuration is, so that it may not read */
  async #read(configuration: Configuration, quorum: readonly string[], held: readonly number[]): Promise<State | 'stale' | 'unreadable'> {
    const time = new VirtualTime();
    const acceptors = new Map(this.#system.acceptorNames.map((name, at) => [name, this.#system.acceptors.holding(held[at] ?? 0)]));
    const link = (name: string): Acceptor => {
      const memory = acceptors.get(name) as Acceptor;
      return {
        prepare: (key, ballot) => (quorum.includes(name) ? memory.prepare(key, ballot) : new Promise(() => undefined)),
        accept: (key, ballot, value, next) => memory.accept(key, ballot, value, next),
        read: (key) => memory.read(key),
      };
    };
    const store = createStore({
      id: READER_ID,
      state: { configuration, incarnation: 1, saveConfiguration: () => undefined },
      acceptors: { get: link },
      limits: { acceptorTimeoutMs: READER_TIMEOUT_MS },
      time,
      random: () => 0,
    });
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { ver, val, deletedVer } = await time.run(store.get(KEY, { wait: false }));
        return { ver: deletedVer ?? ver, val: val as string | null };
      } catch (error) {
        if (error instanceof StaleConfiguration) return 'stale';
        if (attempt === READER_ATTEMPTS) return 'unreadable';
      }
    }
  }
}

function check(
  operations: readonly RecordedOperation[],
  final: State | 'unreadable',
  collectedFrom: number | undefined,
): Violation | undefined {
  if (final === 'unreadable') return { rule: 'an end', key: KEY, message: 'a quorum of acceptors answers, and yet the key cannot be read' };
  const last = 2 * operations.length + 1;
  const read: RecordedOperation = {
    client: 'the reader at the end',
    key: KEY,
    request: { kind: 'get' },
    invokedAt: last,
    invokedAtMs: last,
    returned: { at: last + 1, atMs: last + 1, outcome: { kind: 'state', ...final } },
  };
  const all = [...operations, read];
  const isCollected = collectedFrom !== undefined;
  return (
    checkLinearizability(all, collectedFrom) ??
    checkExactlyOnce(all) ??
    checkLineage(operations, final, isCollected) ??
    checkFinalState(operations, final, isCollected)
  );
}

function configurationsIn({ proposers }: World): Configuration[] {
  return [...new Map(proposers.map(({ configuration }) => [JSON.stringify(configuration), configuration])).values()];
}

function quorumsOf(nodes: readonly string[], quorum: number): string[][] {
  const [first, ...others] = nodes;
  if (quorum === 0) return [[]];
  if (first === undefined) return [];
  return [...quorumsOf(others, quorum - 1).map((rest) => [first, ...rest]), ...quorumsOf(others, quorum)];
}
