import { expect, it } from 'vitest';
import { Cluster, configurationOf, firstAcceptors } from '../cluster.js';
import { expectNothingLost, increment, newTally } from '../increments.js';
import { watchMachine } from '../machine-stalls.js';

const CLIENTS = 16;
const KEYS = 8;
const CYCLES = 5;

/** The spec's way from two acceptors to three and back: every two neighbours share their quorums, so no rescan is needed between them. */
const STEPS = [
  { prepare: firstAcceptors(2), accept: firstAcceptors(3) },
  { prepare: firstAcceptors(3), accept: firstAcceptors(3) },
  { prepare: firstAcceptors(3), accept: firstAcceptors(2) },
  { prepare: firstAcceptors(2), accept: firstAcceptors(2) },
];

it('16 clients increment while the sets change 20 times: they see nothing but values and 409, and no update is lost', async () => {
  const cluster = await Cluster.forThisTest({ acceptors: 3, proposers: 2, configured: 2 });
  const hasStalled = await watchMachine();
  const tally = newTally();
  let isOver = false;
  const clients = Array.from({ length: CLIENTS }, async (_, index) => {
    const { kv } = cluster.proposer(1 + (index % 2));
    while (!isOver) await increment(kv, `counter-${index % KEYS}`, tally);
  });
  try {
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      for (const sets of STEPS) {
        const acknowledged = tally.acknowledged;
        await cluster.configure(await configurationOf(cluster.proposer(1))); // the claim: the next era, sets unchanged
        await cluster.configure(sets);
        await expect.poll(() => tally.acknowledged, { timeout: 5_000 }).toBeGreaterThan(acknowledged);
      }
    }
  } finally {
    isOver = true;
    await Promise.all(clients);
  }

  const allowed = ['200', '201', 'KeyNotFound', 'VersionMismatch'];
  if (hasStalled()) allowed.push('CommitError', 'PrepareError', 'ConcurrentRequestError');
  expect([...tally.codes].filter(([code]) => !allowed.includes(code))).toEqual([]);
  const proposers = cluster.proposers.map(({ kv }) => kv);
  await expectNothingLost(proposers, tally);
  expect((await configurationOf(cluster.proposer(2))).era).toBe(1 + 2 * CYCLES * STEPS.length);
}, 60_000);
