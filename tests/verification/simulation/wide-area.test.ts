import { createStore } from '../../../src/store/store.js';
import { expect, it } from 'vitest';
import type { Acceptor } from '../../../src/protocol/acceptor.js';
import { MemoryAcceptor } from '../../../src/protocol/memory-acceptor.js';
import { sleep } from '../../../src/protocol/time.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

/** The paper's measurement (section 3.2): a region for each acceptor, a proposer and a client beside it, and the time there and back in ms. */
const REGIONS = ['West US 2', 'West Central US', 'Southeast Asia'] as const;
const ROUND_TRIPS_MS = [
  [0, 21.8, 169],
  [21.8, 0, 189.2],
  [169, 189.2, 0],
];
const ITERATIONS = 20;

/** An acceptor as it is seen from far away. */
function across(acceptor: Acceptor, time: VirtualTime, roundTripMs: number): Acceptor {
  const there = async <Reply>(ask: () => Promise<Reply>): Promise<Reply> => {
    await sleep(time, roundTripMs / 2);
    const reply = await ask();
    await sleep(time, roundTripMs / 2);
    return reply;
  };
  return {
    prepare: (key, ballot) => there(() => acceptor.prepare(key, ballot)),
    accept: (key, ballot, value, next) => there(() => acceptor.accept(key, ballot, value, next)),
    read: (key) => there(() => acceptor.read(key)),
  };
}

function fail(name: string): never {
  throw new Error(`there is no acceptor ${name}`);
}

it.each([
  // The paper measured 47, 47 and 356 ms on real machines, and expected 43.6, 43.6 and 338 of their distances: two round trips to the nearest quorum.
  ['West US 2', 43.6],
  ['West Central US', 43.6],
  ['Southeast Asia', 338],
] as const)('from %s a read and a write of a key of its own take %d ms: no leader is on the way', async (region, expectedMs) => {
  const time = new VirtualTime();
  const here = REGIONS.indexOf(region);
  const acceptors = new Map<string, Acceptor>(
    REGIONS.map((name, there) => [name, across(new MemoryAcceptor(), time, ROUND_TRIPS_MS[here]?.[there] ?? 0)]),
  );
  const majority = { nodes: [...REGIONS], quorum: 2 };
  const store = createStore({
    id: here + 1,
    state: { configuration: { era: 1, prepare: majority, accept: majority }, incarnation: 1, saveConfiguration: () => undefined },
    acceptors: { get: (name) => acceptors.get(name) ?? fail(name) },
    limits: { acceptorTimeoutMs: 1_000, acceptorLateMs: undefined },
    time,
    random: () => 0,
  });
  // The first change has no promise yet that came along with the one before.
  await time.run(store.cas('own', 0, 0));
  const begunMs = time.nowMs();
  for (let count = 0; count < ITERATIONS; count += 1) {
    const { ver, val } = await time.run(store.get('own'));
    await time.run(store.cas('own', ver, Number(val) + 1));
  }
  expect((time.nowMs() - begunMs) / ITERATIONS).toBeCloseTo(expectedMs, 5);
  expect((await time.run(store.get('own'))).val).toBe(ITERATIONS);
});
