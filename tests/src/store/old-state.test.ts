import { expect, it } from 'vitest';
import type { Introduction } from '../../../src/store/greeting.js';
import { memoryAcceptors, memoryState } from '../../../src/store/memory.js';
import { createStore } from '../../../src/store/store.js';

const NODES = ['a', 'b', 'c'];
const nobody = { nodes: [], quorum: 0 };
const all = { nodes: NODES, quorum: 2 };

it('a store that gave up old sets is led to new ones step by step, as one that never had any', async () => {
  let introduction: Introduction | undefined;
  const acceptors = { ...memoryAcceptors(), introduce: (given: Introduction) => void (introduction = given) };
  const store = createStore({ id: 1, state: memoryState(), acceptors });
  await store.reconfigure({ era: 9, prepare: all, accept: all });

  introduction?.onOld(19);
  // As the admin port does: a change waits until the old sets are gone, and finds none.
  await expect(store.reconfigure({ era: 10, prepare: all, accept: all }, 9)).rejects.toThrow('of era 0, not 9');
  await store.reconfigure({ era: 20, prepare: nobody, accept: nobody }, 0);
  expect(store.oldState).toContain('era 19');
  await expect(store.get('k')).rejects.toThrow('older than its last configuration');

  await store.reconfigure({ era: 21, prepare: all, accept: nobody });
  await store.reconfigure({ era: 22, prepare: all, accept: all });
  expect(store.configuration).toMatchObject({ era: 22, prepare: all, accept: all });
  expect(store.oldState).toBeUndefined();
  expect(await store.cas('k', 0, 'v')).toMatchObject({ ver: 1 });
});
