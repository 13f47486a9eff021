import { expect, it } from 'vitest';
import { type Memory, MemoryAcceptor } from '../../../src/protocol/memory-acceptor.js';
import { type GreetedMemory, greetMemory } from '../../../src/redis/memory-greeting.js';
import { disconnectAll, MemoryAdmin } from '../../../src/redis/memory-admin.js';
import { describeAdmin } from './admin-conformance.js';

const memory: Memory = { registers: new Map() };

async function connect(pageKeys?: number): Promise<MemoryAdmin> {
  const admin = new MemoryAdmin(memory, pageKeys);
  await admin.connect();
  return admin;
}

describeAdmin('the acceptor in memory', connect, async () => new MemoryAcceptor(memory));

it('the acceptor in memory lists page by page, and breaks off when it crashes', async () => {
  const acceptor = new MemoryAcceptor(memory);
  for (const key of ['a', 'b', 'c']) await acceptor.prepare(key, { era: 1, counter: 1, proposer: 1, incarnation: 1 });
  const pages = (await connect(2)).keys();
  expect(await pages.next()).toEqual({ done: false, value: ['a', 'b'] });
  expect(await pages.next()).toEqual({ done: false, value: ['c'] });
  expect(await pages.next()).toMatchObject({ done: true });
  const again = (await connect(2)).keys();
  await again.next();
  disconnectAll(memory);
  await expect(again.next()).rejects.toThrow(/closed/);
});

it('the acceptor in memory tells which eras proposers said they had, until it joins again', async () => {
  const greeted: GreetedMemory = { registers: new Map(), identity: 'acceptor-1:6379#me' };
  const admin = new MemoryAdmin(greeted);
  await admin.connect();
  const greeting = { identity: 'acceptor-1:6379#me', beats: 0, confirmed: undefined, marked: '', isCounting: false };
  expect(await admin.eras()).toEqual(new Map());
  for (const [proposer, era] of [
    [1, 4],
    [2, 6],
    [1, 5],
    [0, 9],
  ] as const)
    greetMemory(greeted, { ...greeting, proposer, era });
  expect(await admin.eras()).toEqual(
    new Map([
      [1, 5],
      [2, 6],
    ]),
  );
  await admin.adopt('acceptor-1:6379#me');
  expect(await admin.eras()).toEqual(new Map());
});
