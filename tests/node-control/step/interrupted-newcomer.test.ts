import { expect, it } from 'vitest';
import { OperatedNodes } from '../operated-nodes.js';

const UNTOLD = 'no acceptor of the cluster answers, to say what acceptor-1:6379 must know';

/** One acceptor that has collected what was deleted, and one that a step was about to add: it is adopted, and was told no floor. */
async function interrupted() {
  const world = new OperatedNodes();
  await world.typeAll(['resize acceptor-2:6379']);
  await world.put('k');
  await world.delete('k');
  await world.typeAll(['collect']);
  const [newcomer, member] = world.acceptors;
  if (!newcomer || !member) throw new TypeError('there are three acceptors');
  expect(member.memory.floor?.version).toBe(2);
  // As the claims of such a step leave it: its accept set is one that values may rest on.
  newcomer.memory.identity = 'acceptor-1:6379#adopted';
  for (const { running, configuration } of world.proposers) {
    const entry = { nodes: [newcomer.memory.identity, member.identity ?? ''], quorum: 2 };
    const resting = [...(configuration.resting ?? []), entry];
    await world.time.run(running.store.reconfigure({ ...configuration, era: configuration.era + 1, resting }, configuration.era));
  }
  return { world, newcomer, member };
}

it.each([
  ['', [], 2],
  [', nor where all proposers were wiped since', ['wipe all'], 1],
] as const)(
  'an acceptor that a step which was interrupted has adopted, but told no floor, does not tell one%s',
  async (_, since, quorum) => {
    const { world, newcomer, member } = await interrupted();
    await world.typeAll(since);
    member.crash();
    expect(await world.type(`add-accept all acceptor-1:6379 ${quorum}`)).toContain(UNTOLD);
    member.start();
    expect(await world.type(`add-accept all acceptor-1:6379 ${quorum}`)).toBeUndefined();
    expect(newcomer.memory.floor?.version).toBe(2);
  },
);

it('a cluster that never held anything is built anew though an acceptor is down that was none of its members', async () => {
  const world = new OperatedNodes();
  await world.typeAll(['resize acceptor-1:6379', 'wipe all']);
  world.acceptors[2]?.crash();
  await world.typeAll(['resize acceptor-1:6379,acceptor-2:6379']);
});
