import { expect, it } from 'vitest';
import { OperatedNodes } from '../operated-nodes.js';

it('an acceptor that a step which was interrupted has adopted, but told no floor, does not tell one', async () => {
  const world = new OperatedNodes();
  await world.typeAll(['resize acceptor-2:6379']);
  const [newcomer, member] = world.acceptors;
  if (!newcomer || !member) throw new TypeError('there are three acceptors');
  // As the claims of such a step leave it: its accept set is one that values may rest on.
  newcomer.memory.identity = 'acceptor-1:6379#adopted';
  for (const { running, configuration } of world.proposers) {
    const entry = { nodes: [newcomer.memory.identity, member.identity ?? ''], quorum: 2 };
    const resting = [...(configuration.resting ?? []), entry];
    await world.time.run(running.store.reconfigure({ ...configuration, era: configuration.era + 1, resting }, configuration.era));
  }
  member.crash();
  expect(await world.type('add-accept all acceptor-1:6379 2')).toContain(
    'no acceptor of the cluster answers, to say what acceptor-1:6379 must know',
  );
  member.start();
  expect(await world.type('add-accept all acceptor-1:6379 2')).toBeUndefined();
});
