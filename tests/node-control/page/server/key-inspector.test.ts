import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KeyInspector } from '../../../../node-control/page/server/key-inspector.js';
import { WatchedNodes } from './watched-nodes.js';

let nodes: WatchedNodes;
let inspector: KeyInspector;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  nodes = new WatchedNodes({ p1: {} }, { a1: { register: { promise: '1.1.1.1' } } });
  inspector = new KeyInspector(nodes.nodes);
});
afterEach(() => void vi.useRealTimers());

it('looks at a key once for all pages, and anew after less than a second', async () => {
  const looks = await Promise.all(Array.from({ length: 10 }, () => inspector.look('k')));
  expect(looks.map(([view]) => view?.register?.promise)).toEqual(Array.from({ length: 10 }, () => '1.1.1.1'));
  expect(nodes.asked).toBe(2);
  vi.advanceTimersByTime(899);
  await inspector.look('k');
  expect(nodes.asked).toBe(2);
  vi.advanceTimersByTime(1);
  nodes.acceptors['a1'] = { register: { promise: '1.2.1.1' } };
  expect(await inspector.look('k')).toMatchObject([{ register: { promise: '1.2.1.1' } }]);
  expect(nodes.asked).toBe(4);
});

it('looks at each key by itself', async () => {
  await Promise.all([inspector.look('k'), inspector.look('l')]);
  expect(nodes.asked).toBe(4);
});
