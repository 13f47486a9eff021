import { VersionMismatch } from '../../../src/store/errors.js';
import type { Versioned } from '../../../src/store/versioned.js';
import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../../src/protocol/configuration.js';
import { CommitError } from '../../../src/protocol/errors.js';
import { MemoryAcceptor } from '../../../src/protocol/memory-acceptor.js';
import { Attempts, Registers } from '../../registers.js';
import { sleep } from '../../../src/protocol/time.js';
import { Lineage } from '../../lineage.js';
import { throughNetwork } from '../../lossy-network.js';
import { randomFrom } from '../../../client/random.js';
import { withoutStacks } from '../../../verification/simulation/without-stacks.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

const KEY = 'the one key';
const NETWORK = { loss: 0.2, repeats: 0.02, delayMs: 3 };
const TIMEOUT_MS = 10;
/** The longest pause after an attempt that failed, so that two proposers do not outrun each other for ever. */
const PAUSE_MS = 40;
/** One in so many operations is preceded by a restart of its proposer, and by a new era of its configuration. */
const [RESTART_EVERY, ERA_EVERY] = [200, 500];

interface Quorums {
  readonly acceptors: number;
  readonly prepare: number;
  readonly accept: number;
}
const MAJORITY: Quorums = { acceptors: 3, prepare: 2, accept: 2 };
/** An accept quorum here need not hold a prepare quorum. */
const FLEXIBLE: Quorums = { acceptors: 4, prepare: 3, accept: 2 };

/** Acceptors behind a bad network. */
class World {
  readonly time = new VirtualTime();
  readonly random: () => number;
  readonly #quorums: Quorums;
  readonly #acceptors: ReadonlyMap<string, MemoryAcceptor>;
  #era = 1;
  #incarnation = 0;

  constructor(seed: number, quorums: Quorums) {
    this.random = randomFrom(seed);
    this.#quorums = quorums;
    this.#acceptors = new Map(Array.from({ length: quorums.acceptors }, (_, index) => [`a${index + 1}`, new MemoryAcceptor()]));
  }

  get configuration(): Configuration {
    const { prepare, accept } = this.#quorums;
    const nodes = [...this.#acceptors.keys()];
    return { era: this.#era, prepare: { nodes, quorum: prepare }, accept: { nodes, quorum: accept } };
  }

  start(id: number): Registers {
    const { time, random, configuration } = this;
    const network = new Map([...this.#acceptors].map(([name, acceptor]) => [name, throughNetwork(acceptor, { time, random, ...NETWORK })]));
    const acceptor = (name: string): MemoryAcceptor => network.get(name) as MemoryAcceptor;
    return new Registers({ id, incarnation: (this.#incarnation += 1), configuration, acceptor, time, timeoutMs: TIMEOUT_MS });
  }

  /** Restarts a proposer now and then, or moves it on to a new era: every second one raises it, as a control node does. */
  async disturb(id: number, proposer: Registers): Promise<Registers> {
    if (this.random() * ERA_EVERY < 1) {
      if (proposer.configuration.era === this.#era) this.#era += 1;
      await proposer.reconfigure(this.configuration, async () => undefined);
    }
    return this.random() * RESTART_EVERY < 1 ? this.start(id) : proposer;
  }

  pause(): Promise<void> {
    return sleep(this.time, this.random() * PAUSE_MS);
  }
}

describe('two proposers, one key, one in five requests and one in five replies lost', () => {
  it.each([
    ['a majority of 3, in 100,000 operations', MAJORITY, 100_000],
    ['prepare quorums of 3 of 4 and accept quorums of 2, in 40,000 operations', FLEXIBLE, 40_000],
  ])('never lose an acknowledged write, with %s', { timeout: 120_000 }, async (_what, quorums, total) => {
    const world = new World(20260101, quorums);
    const lineage = new Lineage();
    let operations = total;
    let acknowledged = 0;
    const work = async (id: number): Promise<void> => {
      let proposer = world.start(id);
      while (operations > 0) {
        operations -= 1;
        proposer = await world.disturb(id, proposer);
        const floor = lineage.length;
        try {
          if (world.random() < 0.1) {
            const read = await proposer.read(KEY);
            if (read) lineage.acknowledge(read.value, floor);
          } else {
            lineage.acknowledge(await proposer.apply(KEY, (value) => lineage.write(value)), floor);
            acknowledged += 1;
          }
        } catch {
          await world.pause();
        }
      }
    };
    await withoutStacks(() => world.time.run(Promise.all([work(1), work(2)])));
    expect(lineage.violations).toEqual([]);
    expect(acknowledged).toBeGreaterThan(total / 4);
  });

  it(
    'never say applied, not applied, or a version, that turns out wrong in 100,000 gets and compare-and-sets',
    { timeout: 120_000 },
    async () => {
      const world = new World(20260102, MAJORITY);
      const { time, random } = world;
      /** Who was seen at each version, by anybody. */
      const seen = new Map<number, unknown>();
      const refused = new Set<unknown>();
      const violations: string[] = [];
      let highest = 0;
      let operations = 100_000;
      const counts = { applied: 0, missed: 0, unknown: 0 };
      const observe = ({ ver, val }: Versioned, floor: number): void => {
        if (ver < floor) violations.push(`version ${ver} was read back after version ${floor}`);
        if (seen.has(ver) && seen.get(ver) !== val) violations.push(`version ${ver} is ${String(val)} and ${String(seen.get(ver))}`);
        seen.set(ver, val);
        highest = Math.max(highest, ver);
      };
      const work = async (id: number): Promise<void> => {
        let proposer = world.start(id);
        let last: Versioned = { ver: 0, val: null };
        while (operations > 0) {
          const val = `write ${(operations -= 1)}`;
          proposer = await world.disturb(id, proposer);
          const store = new Attempts({
            proposer,
            reader: proposer.reader,
            nextOperationId: () => val,
            time,
            random,
            resolveMs: 60,
            resolvePauseMs: 5,
          });
          const floor = highest;
          try {
            last = random() < 0.3 ? await store.get(KEY) : await store.cas(KEY, last.ver, val);
            if (last.val === val) counts.applied += 1;
            observe(last, floor);
          } catch (error) {
            if (error instanceof VersionMismatch) {
              counts.missed += 1;
              last = { ver: Number(error.details['ver']), val: error.details['val'] };
              observe(last, floor);
            }
            if (error instanceof CommitError) counts.unknown += 1;
            else refused.add(val);
            await world.pause();
          }
        }
      };
      await withoutStacks(() => time.run(Promise.all([work(1), work(2)])));
      for (const [ver, val] of seen) if (refused.has(val)) violations.push(`${String(val)} was refused, and is version ${ver}`);
      expect(violations).toEqual([]);
      expect(counts.applied).toBeGreaterThan(30_000);
      expect(counts.missed).toBeGreaterThan(1_000);
      expect(counts.unknown).toBeGreaterThan(100);
    },
  );
});
