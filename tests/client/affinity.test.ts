import { expect, it } from 'vitest';
import { preferred } from '../../client/affinity.js';

const NODES = ['proposer-1:8080', 'proposer-2:8080', 'proposer-3:8080'].map((name) => ({ name }));
const KEYS = Array.from({ length: 3_000 }, (_, index) => `key-${index}`);

const choices = (nodes: readonly { name: string }[]): (string | undefined)[] => KEYS.map((key) => preferred(key, nodes)?.name);

it('gives every node about as many keys', () => {
  const counts = NODES.map(({ name }) => choices(NODES).filter((chosen) => chosen === name).length);
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(100);
});

it('comes to the same answer in whatever order the nodes are listed', () => {
  expect(choices(NODES.toReversed())).toEqual(choices(NODES));
});

it('moves the keys of a node that drops out, to all others, and no other key', () => {
  const [before, after] = [choices(NODES), choices(NODES.slice(1))];
  const moved = after.filter((_, at) => before[at] === NODES[0]?.name);
  expect(after.filter((_, at) => before[at] !== NODES[0]?.name)).toEqual(before.filter((name) => name !== NODES[0]?.name));
  for (const { name } of NODES.slice(1)) {
    expect(moved.filter((chosen) => chosen === name).length).toBeGreaterThan(moved.length / 3);
  }
});

it('has no choice among none', () => {
  expect(preferred('key', NODES.slice(NODES.length))).toBeUndefined();
});
