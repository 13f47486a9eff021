import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../cluster.js';
import { type RawAnswer, send } from '../raw-http.js';

let cluster: Cluster;
let keyCount = 0;

beforeAll(async () => {
  cluster = await Cluster.start({ acceptors: 1, proposers: 1 });
});
afterAll(() => cluster.stop());

const freshPath = (): string => `/kv/key-${(keyCount += 1)}`;
const post = (path: string, body: unknown): Promise<RawAnswer> => send(cluster.proposer(1).address, { method: 'POST', path, body });
const get = (path: string): Promise<RawAnswer> => send(cluster.proposer(1).address, { path });

/** A path whose key holds the value, as version 1; undefined: it does not exist. */
async function holding(val: unknown): Promise<string> {
  const path = freshPath();
  if (val !== undefined) expect((await post(path, { set: val })).status).toBe(200);
  return path;
}

/** The answer is this refusal, and the key is as it was. */
async function expectRefused(path: string, body: unknown, status: number, code: string, message: RegExp): Promise<void> {
  const before = await get(path);
  const answer = await post(path, body);
  expect(answer.body).toMatchObject({ code, message: expect.stringMatching(message) as string });
  expect(answer.status).toBe(status);
  expect((await get(path)).text).toBe(before.text);
}

const text = (bytes: number): string => 'x'.repeat(bytes - 2);
const VALUE_MAX = 64 * 1024;
const DEEP = 1_000;
const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('a change function', () => {
  it.each<[string, unknown, unknown, unknown]>([
    ['set, of what does not exist', undefined, { set: { a: 1 } }, { a: 1 }],
    ['set, whatever is there', [1], { set: null }, null],
    ['add, to what does not exist', undefined, { add: 5 }, 5],
    ['add, to zero', 0, { add: -3 }, -3],
    ['add, of a fraction', 0.5, { add: 0.25 }, 0.75],
    ['add, up to the last number that is exact', 2 ** 53 - 2, { add: 1 }, 2 ** 53 - 1],
    ['add, down to the last number that is exact', 2 - 2 ** 53, { add: -1 }, 1 - 2 ** 53],
    ['append, to what does not exist', undefined, { append: ['a'] }, ['a']],
    ['append, of a text to a text', 'a', { append: 'b' }, 'ab'],
    ['append, of a list to a list', [1], { append: [[2], null] }, [1, [2], null]],
    ['append, of nothing', 'a', { append: '' }, 'a'],
    ['merge, into what does not exist', undefined, { merge: { a: { b: null, c: 1 } } }, { a: { c: 1 } }],
    ['merge, that sets, replaces and removes', { a: 1, b: { c: 2, d: 3 } }, { merge: { a: null, b: { c: [4] } } }, { b: { c: [4], d: 3 } }],
    ['merge, into what is no object', 'text', { merge: { a: 1 } }, { a: 1 }],
    ['merge, of what is no object', { a: 1 }, { merge: [null] }, [null]],
    ['merge, of null', { a: 1 }, { merge: null }, null],
    [
      'merge, of names that every object of JavaScript has',
      { a: 1 },
      { merge: { constructor: { prototype: 2 }, toString: 3 } },
      {
        a: 1,
        constructor: { prototype: 2 },
        toString: 3,
      },
    ],
  ])('%s', async (_, before, body, val) => {
    const path = await holding(before);
    const ver = before === undefined ? 1 : 2;
    const answer = await post(path, body);
    expect([answer.status, answer.body]).toEqual([200, { key: path.slice(4), ver, val }]);
    expect((await get(path)).body).toEqual({ key: path.slice(4), ver, val });
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', {}, /send one change function/],
    ['only a condition', { ver: 0 }, /send one change function/],
    ['two of them', { add: 1, set: 2 }, /send one change function/],
    ['one and a member that nobody knows', { add: 1, note: 2 }, /send one change function/],
    ['one that nobody knows', { multiply: 2 }, /there are set, add, append, merge/],
    ['a value as in a PUT', { ver: 0, val: 1 }, /send one change function/],
    ['__proto__', '{"__proto__": 1}', /send one change function/],
    ['__proto__ beside one', '{"add": 1, "__proto__": {"ver": 3}}', /send one change function/],
    ['constructor', { constructor: 1 }, /send one change function/],
    ['toString', { toString: 1 }, /send one change function/],
    ['a list', '[{"add": 1}]', /./],
    ['a text', '"add"', /./],
    ['no JSON', '{"add": 1', /./],
    ['add without a number', { add: '1' }, /add takes a number, not a text/],
    ['add of null', { add: null }, /add takes a number, not null/],
    ['add of a list', { add: [1] }, /add takes a number, not a list/],
    ['add of more than a number can be', '{"add": 1e400}', /too large/],
    ['append of a number', { append: 1 }, /append takes a text or a list, not a number/],
    ['append of an object', { append: {} }, /append takes a text or a list, not an object/],
    ['append of null', { append: null }, /append takes a text or a list, not null/],
    ['set of more than a number can be', '{"set": [1e400]}', /too large/],
    ['merge of more than a number can be', '{"merge": {"a": -1e400}}', /too large/],
    ['merge of __proto__', '{"merge": {"__proto__": {"a": 1}}}', /__proto__/],
    ['merge of __proto__ further in', '{"merge": {"a": {"__proto__": {"a": 1}}}}', /__proto__/],
    ['set of what is nested too deeply', { set: nested(DEEP + 1) }, /at most 1000 levels/],
    ['append of what is nested too deeply', { append: nested(DEEP + 1) }, /at most 1000 levels/],
    ['merge of what is nested too deeply', { merge: nested(DEEP + 1) }, /at most 1000 levels/],
    ['ver as a text', { add: 1, ver: '1' }, /ver must be an integer/],
    ['a negative ver', { add: 1, ver: -1 }, /ver must be an integer/],
    ['a ver of null', { add: 1, ver: null }, /ver must be an integer/],
    ['a ver after which there is none', { add: 1, ver: 2 ** 53 - 1 }, /ver must be an integer/],
    ['since without a name', { add: 1, since: 0 }, /Idempotency-Key/],
  ])('is refused as %s', async (_, body, message) => {
    await expectRefused(await holding(undefined), body, 400, 'BadRequest', message);
  });

  it.each<[string, unknown, unknown, RegExp]>([
    ['add, to a text', '1', { add: 1 }, /add needs a number, and the key holds a text/],
    ['add, to null, which is a value', null, { add: 1 }, /holds null/],
    ['add, to a list', [1], { add: 1 }, /holds a list/],
    ['add, to an object', {}, { add: 1 }, /holds an object/],
    ['add, to a boolean', true, { add: 1 }, /holds a boolean/],
    ['add, beyond what is exact', 2 ** 53 - 1, { add: 1 }, /more than a number can tell exactly/],
    ['add, below what is exact', 1 - 2 ** 53, { add: -1 }, /more than a number can tell exactly/],
    ['add, where the sum would be as before', 2 ** 60, { add: 1 }, /more than a number can tell exactly/],
    ['add, of a fraction where the sum would be as before', 2 ** 60, { add: 0.5 }, /more than a number can tell exactly/],
    ['add, to more than a number can be', 1e308, { add: 1e308 }, /more than a number can tell exactly/],
    ['append, of a text to a list', ['a'], { append: 'b' }, /two texts or two lists, and the key holds a list/],
    ['append, of a list to a text', 'a', { append: ['b'] }, /two texts or two lists, and the key holds a text/],
    ['append, to a number', 1, { append: 'b' }, /holds a number/],
    ['append, to null, which is a value', null, { append: 'b' }, /holds null/],
  ])('changes nothing where it does not fit: %s', async (_, before, body, message) => {
    await expectRefused(await holding(before), body, 409, 'ChangeRefused', message);
  });
});

describe('the size of a value', () => {
  it.each<[string, unknown, unknown]>([
    ['set', undefined, { set: text(VALUE_MAX) }],
    ['append', text(VALUE_MAX - 10), { append: '0123456789' }],
    ['append, in bytes', 'a', { append: 'é'.repeat((VALUE_MAX - 4) / 2) }],
    ['merge', { a: text(VALUE_MAX - 17) }, { merge: { b: 12_345 } }],
  ])('may be 64 KiB after %s, and not a byte more', async (_, before, body) => {
    const path = await holding(before);
    const answer = await post(path, body);
    expect(answer.status).toBe(200);
    const bytes = Buffer.byteLength(JSON.stringify(answer.body?.['val']));
    expect(bytes).toBeGreaterThan(VALUE_MAX - 3);
    expect(bytes).toBeLessThanOrEqual(VALUE_MAX);
    const more = typeof answer.body?.['val'] === 'string' ? { append: 'xx' } : { merge: { c: 1 } };
    await expectRefused(path, more, 409, 'ChangeRefused', /would have \d+ bytes of JSON, and may have 65536/);
  });

  it.each([
    ['set', { set: text(VALUE_MAX + 1) }],
    ['append', { append: text(VALUE_MAX + 1) }],
    ['merge', { merge: { a: text(VALUE_MAX) } }],
    ['a long number, which is longer when it is written out', `{"set": [${'1e20,'.repeat(10_000)}1]}`],
    ['a body beyond all measure', { set: text(2 * VALUE_MAX) }],
  ])('is held to where it is sent: %s', async (_, body) => {
    await expectRefused(await holding(undefined), body, 413, 'PayloadTooLarge', /./);
  });

  it('and its depth are held to though each change is small: a thousand levels, no more', async () => {
    const path = await holding(nested(DEEP));
    const answer = await post(path, { append: [nested(DEEP - 1)] });
    expect(answer.status).toBe(200);
    await expectRefused(path, { append: [nested(DEEP)] }, 400, 'BadRequest', /at most 1000 levels/);
  });
});

describe('a condition', () => {
  it('lets a change through at the version that it names, and refuses it at every other one', async () => {
    const path = await holding(7);
    for (const ver of [0, 2, 9]) {
      await expectRefused(path, { add: 1, ver }, 409, 'VersionMismatch', new RegExp(`version 1, not ${ver}`));
    }
    expect((await post(path, { add: 1, ver: 1 })).body).toMatchObject({ ver: 2, val: 8 });
  });

  it('is looked at before the value: a change that missed is no change that does not fit', async () => {
    await expectRefused(await holding('text'), { add: 1, ver: 4 }, 409, 'VersionMismatch', /version 1, not 4/);
  });

  it('of version 0 means that the key must not exist, or no more', async () => {
    const path = await holding(undefined);
    expect((await post(path, { append: 'a', ver: 0 })).body).toMatchObject({ ver: 1, val: 'a' });
    await expectRefused(path, { append: 'b', ver: 0 }, 409, 'VersionMismatch', /version 1, not 0/);
    await send(cluster.proposer(1).address, { method: 'DELETE', path });
    expect((await post(path, { append: 'c', ver: 0 })).body).toMatchObject({ ver: 3, val: 'c' });
  });
});

describe('sixty changes at once', () => {
  it('are all applied, each told its own version and value; what does not fit is refused alone', async () => {
    const path = await holding(0);
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => post(path, index % 10 === 9 ? { append: 'x' } : { add: 1 })),
    );
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(6);
    const done = answers.filter(({ status }) => status === 200).map(({ body }) => [body?.['ver'], body?.['val']]);
    expect(done.sort(([a], [b]) => Number(a) - Number(b))).toEqual(Array.from({ length: 54 }, (_, index) => [index + 2, index + 1]));
    expect((await get(path)).body).toMatchObject({ ver: 55, val: 54 });
  });
});
