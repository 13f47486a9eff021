import { expect, it } from 'vitest';
import { Narrator } from '../../../../node-control/page/server/narrator.js';
import type { NodeState } from '../../../../node-control/page/server/snapshot.js';
import type { Configuration } from '../../../../src/protocol/configuration.js';
import { VirtualTime } from '../../../../verification/simulation/virtual-time.js';
import { WatchedNodes } from './watched-nodes.js';

const A1 = 'acceptor-1:6379';
const ONE = { nodes: [A1], quorum: 1 };
const configuration: Configuration = { era: 4, prepare: ONE, accept: ONE };

it('keeps its advice while a node is slow for a moment: whoever copies a command does not lose it', async () => {
  let advised = 0;
  const advise = async () => {
    advised += 1;
    return { why: 'Next', steps: [{ verb: 'resize' as const, acceptors: [A1] }] };
  };
  const narrator = new Narrator(new WatchedNodes({}, {}).nodes, new VirtualTime(), advise);
  const narrate = (state: NodeState) =>
    narrator.narrate([{ name: 'proposer-1', configuration }], [{ name: 'proposer-1', state }], [{ name: A1, state }]);
  expect(narrate('healthy').commands).toEqual([]);
  await Promise.resolve();
  await Promise.resolve();
  for (const state of ['healthy', 'slow', 'healthy'] as const) expect(narrate(state).commands).toHaveLength(1);
  expect(advised).toBe(1);
  expect(narrate('loading').commands).toEqual([]);
});
