import { beforeEach, describe, expect, it } from 'vitest';
import { BadRequest } from '../../../src/store/errors.js';
import { memoryAcceptors, memoryState } from '../../../src/store/memory.js';
import { createStore, type Store } from '../../../src/store/store.js';
import type { JsonChange, Write } from '../../../src/store/write.js';

let store: Store;
beforeEach(async () => {
  store = createStore({ id: 1, state: memoryState(), acceptors: memoryAcceptors() });
  const one = { nodes: ['a'], quorum: 1 };
  await store.reconfigure({ era: 1, prepare: one, accept: one });
});

const deep = (levels: number): unknown => Array.from({ length: levels }).reduce((inner) => [inner], 0);

describe('a change function', () => {
  it('that is async is refused, for its promise is no value: what the key holds stays', async () => {
    await store.cas('k', 0, 'kept');
    await expect(store.change('k', () => Promise.resolve('next'))).rejects.toThrow(BadRequest);
    expect(await store.get('k')).toEqual({ ver: 1, val: 'kept' });
  });
});

describe('a condition', () => {
  it.each([NaN, -1, 0.5, undefined, null, '0'])('of %s is refused, and does not let everything through', async (ver) => {
    await store.cas('k', 0, 'kept');
    await expect(store.cas('k', ver as number, 'next')).rejects.toThrow(BadRequest);
    expect(await store.get('k')).toEqual({ ver: 1, val: 'kept' });
  });
});

describe('a value of a store', () => {
  it.each([
    ['NaN', NaN],
    ['an infinity', [-Infinity]],
    ['undefined', undefined],
    ['undefined in an object', { a: [{ b: undefined }] }],
    ['an array with a hole', { a: new Array(3) }],
    ['a date', new Date(0)],
    ['a map', new Map([['a', 1]])],
    ['bytes', [new Uint8Array([1])]],
    ['a promise', Promise.resolve(1)],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['more levels than can be written out', deep(1_001)],
  ])('is not %s, which would be read back as something else: nothing is written', async (_what, val) => {
    await expect(store.cas('k', 0, val)).rejects.toThrow(BadRequest);
    expect((await store.get('k')).ver).toBe(0);
  });

  it('is what it was when it was given, whatever becomes of it while the write waits', async () => {
    const given: Record<string, unknown> = { n: 1 };
    const [, written] = [store.cas('k', 0, 'first'), store.cas('k', 1, given)];
    given['n'] = new Date(0);
    expect(await written).toEqual({ ver: 2, val: { n: 1 } });
    expect(await store.get('k')).toEqual({ ver: 2, val: { n: 1 } });
  });

  it.each([
    ['null', null],
    ['a number', 1.5e300],
    ['a name that JSON.stringify knows', { toJSON: 'a text' }],
    ['as many levels as can be', deep(1_000)],
  ])('is read back as it was written: %s', async (_what, val) => {
    await store.cas('k', 0, val);
    expect(await store.get('k')).toEqual({ ver: 1, val });
  });
});

describe('what a program without types may give', () => {
  it.each([
    ['a write without a value', () => store.write('k', {} as Write)],
    ['a change that is no function', () => store.change('k', 1 as unknown as JsonChange)],
    ['no key', () => store.get(undefined as unknown as string)],
    ['a key that is null', () => store.cas(null as unknown as string, 0, 1)],
    ['a key that is a number', () => store.delete(5 as unknown as string)],
  ])('is refused: %s', async (_what, operation) => {
    await expect(operation()).rejects.toThrow(BadRequest);
    expect((await store.get('k')).ver).toBe(0);
  });
});
