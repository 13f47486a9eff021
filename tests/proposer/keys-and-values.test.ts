import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../cluster.js';
import { type RawAnswer, type RawRequest, send } from '../raw-http.js';

const KIB = 1024;
let cluster: Cluster;
let keyCount = 0;

beforeAll(async () => {
  cluster = await Cluster.start({ acceptors: 1, proposers: 1 });
});
afterAll(() => cluster.stop());

const ask = (request: RawRequest): Promise<RawAnswer> => send(cluster.proposer(1).address, request);
const freshPath = (): string => `/kv/value-${++keyCount}`;

describe('a key', () => {
  it.each([
    ['a slash', '/kv/a%2Fb', 'a/b'],
    ['a percent sign and 2F', '/kv/a%252Fb', 'a%2Fb'],
    ['spaces', '/kv/%20a%20', ' a '],
    ['a plus', '/kv/a+b', 'a+b'],
    ['an emoji, encoded', '/kv/%F0%9F%98%80', '😀'],
    ['a combining accent', '/kv/e%CC%81', 'e\u0301'],
    ['the same letter in one', '/kv/%C3%A9', '\u00e9'],
    ['the name of a prototype', '/kv/__proto__', '__proto__'],
    ['the name of a constructor', '/kv/constructor', 'constructor'],
    ['three dots', '/kv/...', '...'],
    ['a dot and more', '/kv/.a', '.a'],
    ['two dots, encoded', '/kv/%2E%2E%2Fhealthz', '../healthz'],
    ['a byte of 0', '/kv/a%00b', 'a\u0000b'],
    ['a line break', '/kv/a%0Ab', 'a\nb'],
    ['a glob', '/kv/*', '*'],
    ['a colon, a query and a hash', '/kv/a:b%3Fc%23d', 'a:b?c#d'],
    ['512 bytes', `/kv/${'k'.repeat(512)}`, 'k'.repeat(512)],
    ['512 bytes in 128 characters', `/kv/${'%F0%9F%98%80'.repeat(128)}`, '😀'.repeat(128)],
  ])('may have %s', async (_, path, key) => {
    expect((await ask({ path })).body).toMatchObject({ code: 'KeyNotFound', key });
    const written = await ask({ method: 'PUT', path, body: { ver: 0, val: key } });
    expect([written.status, written.body]).toEqual([201, { key, ver: 1, val: key }]);
    expect((await ask({ path })).body).toEqual({ key, ver: 1, val: key });
  });

  it('in raw bytes beyond ASCII is refused with 400 and the advice to encode it', async () => {
    const answer = await ask({ path: `/kv/${Buffer.from('🚀').toString('latin1')}` });
    expect([answer.status, answer.body]).toMatchObject([
      400,
      { code: 'BadRequest', message: expect.stringMatching(/percent-encoded/) as string },
    ]);
  });

  it.each([
    ['0 bytes', '/kv/'],
    ['513 bytes', `/kv/${'k'.repeat(513)}`],
    ['513 bytes in 129 characters', `/kv/${'%F0%9F%98%80'.repeat(128)}k`],
  ])('of %s is refused with 400', async (_, path) => {
    for (const request of [{ path }, { method: 'PUT', path, body: { ver: 0, val: 1 } }]) {
      const answer = await ask(request);
      expect([answer.status, answer.body]).toMatchObject([400, { code: 'BadRequest', message: 'a key has 1 to 512 bytes' }]);
    }
  });

  it.each(['.', '..', '%2e', '%2E', '%2e%2E', '.%2e', '%2E.'])(
    'that is a step in a path is refused with 400 and the reason: %s',
    async (name) => {
      for (const request of [{ path: `/kv/${name}` }, { method: 'PUT', path: `/kv/${name}`, body: { ver: 0, val: 1 } }]) {
        const answer = await ask(request);
        expect([answer.status, answer.body]).toMatchObject([
          400,
          { code: 'BadRequest', message: expect.stringMatching(/"\." and "\.\." are no keys/) as string },
        ]);
      }
    },
  );

  it.each([
    ['an encoded byte that is no UTF-8', '/kv/%FF'],
    ['a raw byte that is no UTF-8', '/kv/\xff'],
    ['half an encoding', '/kv/%F'],
    ['an encoded surrogate', '/kv/%ED%A0%80'],
  ])('with %s is refused with 400', async (_, path) => {
    const answer = await ask({ path });
    expect([answer.status, answer.body]).toMatchObject([400, { code: 'BadRequest' }]);
  });
});

describe('a value', () => {
  /** A JSON string of so many bytes, its quotes included. */
  const ofBytes = (bytes: number): string => 'x'.repeat(bytes - 2);

  it('may have exactly 64 KiB of JSON, and not a byte more', async () => {
    const path = freshPath();
    const over = await ask({ method: 'PUT', path, body: { ver: 0, val: ofBytes(64 * KIB + 1) } });
    expect([over.status, over.body]).toMatchObject([
      413,
      { code: 'PayloadTooLarge', message: expect.stringMatching(/65536 bytes/) as string },
    ]);
    expect((await ask({ path })).status).toBe(404);
    const exact = await ask({ method: 'PUT', path, body: { ver: 0, val: ofBytes(64 * KIB) } });
    expect(exact.status).toBe(201);
    expect((await ask({ path })).body).toMatchObject({ ver: 1, val: ofBytes(64 * KIB) });
  });

  it('is measured in bytes, not in characters', async () => {
    const answer = await ask({ method: 'PUT', path: freshPath(), body: { ver: 0, val: 'é'.repeat(32 * KIB) } });
    expect([answer.status, answer.body]).toMatchObject([413, { code: 'PayloadTooLarge' }]);
  });

  it('in a body far over the limit is refused with 413, also where the body does not say its length', async () => {
    const body = JSON.stringify({ ver: 0, val: ofBytes(1024 * KIB) });
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const answer = await ask({ method: 'PUT', path: freshPath(), body, headers });
      expect([answer.status, answer.body]).toMatchObject([413, { code: 'PayloadTooLarge' }]);
    }
  });

  it('comes back as it was sent, whatever JSON it is', async () => {
    const values = [
      'true',
      '-1.5e-7',
      '9007199254740991',
      '""',
      '{}',
      '[]',
      '"\\u0000"',
      '"\\ud800 and \\udc00"',
      '"\\u2028 \u{1F680}"',
      '{"__proto__":{"a":1},"constructor":null}',
      '{"ver":7,"val":8,"ops":["x"],"key":"y"}',
    ];
    for (const val of values) {
      const path = freshPath();
      expect((await ask({ method: 'PUT', path, body: `{"ver":0,"val":${val}}` })).status).toBe(201);
      const { text } = await ask({ path });
      expect(text).toBe(`{"key":"${path.slice('/kv/'.length)}","ver":1,"val":${JSON.stringify(JSON.parse(val))}}`);
    }
  });

  it('is refused where its text is no UTF-8, rather than changed', async () => {
    const path = freshPath();
    const body = Buffer.from('{"ver":0,"val":"\xff"}', 'latin1');
    const answer = await ask({ method: 'PUT', path, body });
    expect([answer.status, answer.body]).toMatchObject([400, { code: 'BadRequest', message: expect.stringMatching(/UTF-8/) as string }]);
    expect((await ask({ path })).status).toBe(404);
  });

  it.each(['1e400', '-1e400', '[1e309]', '{"a":[{"b":-1E+0400}]}', `1${'0'.repeat(400)}`])(
    'is refused where it holds a number that JavaScript has not, rather than changed to null: %s',
    async (val) => {
      const path = freshPath();
      const answer = await ask({ method: 'PUT', path, body: `{"ver":0,"val":${val}}` });
      expect([answer.status, answer.body]).toMatchObject([
        400,
        { code: 'BadRequest', message: expect.stringMatching(/number that is too large/) as string },
      ]);
      expect((await ask({ path })).status).toBe(404);
    },
  );

  it('may hold the largest numbers, and what looks like a larger one', async () => {
    const values = ['1.7976931348623157e308', '-1.7976931348623157e308', '1e-400', '"1e400"', '{"1e400":"9e999"}', '0e400'];
    for (const val of values) expect((await ask({ method: 'PUT', path: freshPath(), body: `{"ver":0,"val":${val}}` })).status).toBe(201);
  });

  it('is not written where the version is such a number', async () => {
    for (const ver of ['1e400', '-1e400']) {
      const answer = await ask({ method: 'PUT', path: freshPath(), body: `{"ver":${ver},"val":1}` });
      expect([answer.status, answer.body]).toMatchObject([
        400,
        { code: 'BadRequest', message: expect.stringMatching(/^ver must be an integer/) as string },
      ]);
    }
  });

  it('may be nested deeply; too deeply is refused with 400 and the limit', async () => {
    const nested = (depth: number): string => `{"ver":0,"val":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const path = freshPath();
    for (const depth of [1_001, 3_000, 4_500, 5_000, 20_000, 32_768]) {
      const answer = await ask({ method: 'PUT', path, body: nested(depth) });
      expect([answer.status, answer.body]).toMatchObject([400, { code: 'BadRequest', message: expect.stringMatching(/1000/) as string }]);
    }
    expect((await ask({ path })).status).toBe(404);
    expect((await ask({ method: 'PUT', path, body: nested(1_000) })).status).toBe(201);
    expect((await ask({ path })).status).toBe(200);
  });
});
