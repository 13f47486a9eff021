import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/store/limits.js';
import { Cluster, firstAcceptors } from '../cluster.js';
import { type RawAnswer, type RawRequest, send, sendBytes } from '../raw-http.js';

let cluster: Cluster;
let keyCount = 0;

beforeAll(async () => {
  cluster = await Cluster.start({ acceptors: 1, proposers: 1 });
});
afterAll(() => cluster.stop());

const ask = (request: RawRequest): Promise<RawAnswer> => send(cluster.proposer(1).address, request);
const get = (path: string): Promise<RawAnswer> => ask({ path });
const put = (path: string, body: unknown): Promise<RawAnswer> => ask({ method: 'PUT', path, body });
const freshKey = (): string => `key-${++keyCount}`;

function expectRefusal(answer: RawAnswer, status: number, code: string, message: RegExp): void {
  expect(answer.body).toMatchObject({ code, message: expect.stringMatching(message) as string });
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
}

describe('a write', () => {
  it('answers 201 with the first version, and 200 with the next', async () => {
    const key = freshKey();
    const first = await put(`/kv/${key}`, { ver: 0, val: { a: [1] } });
    expect([first.status, first.body]).toEqual([201, { key, ver: 1, val: { a: [1] } }]);
    const second = await put(`/kv/${key}`, { ver: 1, val: 'b' });
    expect([second.status, second.body]).toEqual([200, { key, ver: 2, val: 'b' }]);
  });

  it('answers 409 with the present version and value where it expected another', async () => {
    const key = freshKey();
    await put(`/kv/${key}`, { ver: 0, val: 'present' });
    for (const ver of [0, 2, 2 ** 53 - 2]) {
      const answer = await put(`/kv/${key}`, { ver, val: 'mine' });
      expectRefusal(answer, 409, 'VersionMismatch', /version 1, not \d+/);
      expect(answer.body).toMatchObject({ key, ver: 1, val: 'present' });
    }
    expect((await get(`/kv/${key}`)).body).toEqual({ key, ver: 1, val: 'present' });
  });

  it('answers 409 with version 0 where the key does not exist', async () => {
    const answer = await put(`/kv/${freshKey()}`, { ver: 3, val: 1 });
    expectRefusal(answer, 409, 'VersionMismatch', /version 0, not 3/);
    expect(answer.body).toMatchObject({ ver: 0, val: null });
  });

  it.each([
    ['missing', { val: 1 }],
    ['negative', { ver: -1, val: 1 }],
    ['fractional', { ver: 0.5, val: 1 }],
    ['2^53 - 1, after which there is no version', { ver: 2 ** 53 - 1, val: 1 }],
    ['huge', { ver: 1e300, val: 1 }],
    ['a string', { ver: '0', val: 1 }],
    ['null', { ver: null, val: 1 }],
  ])('is refused where ver is %s', async (_, body) => {
    const key = freshKey();
    expectRefusal(await put(`/kv/${key}`, body), 400, 'BadRequest', /ver must be an integer/);
    expect((await get(`/kv/${key}`)).status).toBe(404);
  });

  it('is refused without val, while a val of null is a value', async () => {
    const key = freshKey();
    expectRefusal(await put(`/kv/${key}`, { ver: 0 }), 400, 'BadRequest', /val is missing/);
    expect((await put(`/kv/${key}`, { ver: 0, val: null })).status).toBe(201);
    expect((await get(`/kv/${key}`)).body).toEqual({ key, ver: 1, val: null });
  });

  it.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '1'],
    ['nothing', ''],
    ['half of an object', '{"ver":0,"val":'],
    ['two objects', '{"ver":0,"val":1}{}'],
  ])('is refused where the body is %s', async (_, body) => {
    const key = freshKey();
    expectRefusal(await put(`/kv/${key}`, body), 400, 'BadRequest', /./);
    expect((await get(`/kv/${key}`)).status).toBe(404);
  });

  it('says so where the body comes without JSON as its content type', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      const answer = await ask({ method: 'PUT', path: '/kv/a', body: '{"ver":0,"val":1}', headers: { 'content-type': type } });
      expectRefusal(answer, 400, 'BadRequest', /Content-Type: application\/json/);
    }
    expectRefusal(await ask({ method: 'PUT', path: '/kv/a' }), 400, 'BadRequest', /Content-Type: application\/json/);
    const charset = { 'content-type': 'application/json; charset=utf-8' };
    expect((await ask({ method: 'PUT', path: `/kv/${freshKey()}`, body: '{"ver":0,"val":1}', headers: charset })).status).toBe(201);
  });

  it.each([
    ['null', 'null'],
    ['a number', '7'],
    ['a text', '"a"'],
  ])('is not told that %s is no JSON', async (_, body) => {
    expectRefusal(await put('/kv/a', body), 400, 'BadRequest', /the body must be a JSON object/);
  });

  it.each([
    ['DELETE', '?vers=1', undefined, /DELETE takes \?ver=n and \?since=n, not vers/],
    ['DELETE', '', { ver: 5 }, /DELETE takes no body/],
    ['POST', '?ver=5', { add: 1 }, /ver stands in the body of POST/],
    ['PUT', '?since=5', { ver: 1, val: 2 }, /since stands in the body of PUT/],
  ])('whose condition stands where nobody looks is refused, not done without it: %s %s', async (method, query, body, why) => {
    const key = freshKey();
    await put(`/kv/${key}`, { ver: 0, val: 1 });
    expectRefusal(await ask({ method, path: `/kv/${key}${query}`, ...(body && { body }) }), 400, 'BadRequest', why);
    expect((await get(`/kv/${key}`)).body).toEqual({ key, ver: 1, val: 1 });
  });

  it('that breaks off in its body changes nothing', async () => {
    const key = freshKey();
    const head = `PUT /kv/${key} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
    await sendBytes(cluster.proposer(1).address, `${head}{"ver":0,"val":1}`);
    expect((await get(`/kv/${key}`)).status).toBe(404);
  });
});

describe('a read', () => {
  it('answers 404 KeyNotFound with version 0 for a key that does not exist', async () => {
    const key = freshKey();
    const answer = await get(`/kv/${key}`);
    expectRefusal(answer, 404, 'KeyNotFound', /does not exist/);
    expect(answer.body).toMatchObject({ key, ver: 0 });
  });

  it('answers with the key, the version and the value, and nothing of the inside', async () => {
    const key = freshKey();
    await put(`/kv/${key}`, { ver: 0, val: [1], ops: ['mine'] });
    expect((await get(`/kv/${key}`)).body).toEqual({ key, ver: 1, val: [1] });
  });
});

describe('a path', () => {
  it('is taken strictly and case by case', async () => {
    await put('/kv/strict', { ver: 0, val: 1 });
    expect((await get('/kv/strict')).status).toBe(200);
    expectRefusal(await get('/kv/strict/'), 404, 'NotFound', /\/kv\/strict\//);
    expectRefusal(await get('/KV/strict'), 404, 'NotFound', /\/KV\/strict/);
    expectRefusal(await get('/kv/Strict'), 404, 'KeyNotFound', /./);
    expectRefusal(await get('/healthz/'), 404, 'NotFound', /./);
    expectRefusal(await get('/kv'), 404, 'NotFound', /./);
    expectRefusal(await get('/kv/a/b'), 404, 'NotFound', /./);
    expectRefusal(await get('/'), 404, 'NotFound', /./);
  });

  it('of the admin port is nothing on the public port, nor the other way', async () => {
    for (const path of ['/configuration', '/rescan', '/identity']) {
      expectRefusal(await get(path), 404, 'NotFound', /./);
      expectRefusal(await put(path, { expectedEra: 1 }), 404, 'NotFound', /./);
      expectRefusal(await ask({ method: 'POST', path, body: {} }), 404, 'NotFound', /./);
    }
    const admin = await send(cluster.proposer(1).adminAddress, { path: '/kv/a' });
    expectRefusal(admin, 404, 'NotFound', /./);
  });

  it('answers 405 with the methods that it takes to every other', async () => {
    for (const method of ['PATCH', 'OPTIONS']) {
      const answer = await ask({ method, path: '/kv/a' });
      expectRefusal(answer, 405, 'MethodNotAllowed', new RegExp(`${method} .* GET, PUT, POST and DELETE`));
      expect(answer.headers['allow']).toBe('GET, PUT, POST, DELETE');
    }
    const ready = await ask({ method: 'POST', path: '/readyz', body: {} });
    expectRefusal(ready, 405, 'MethodNotAllowed', /POST .* GET$/);
    const health = await ask({ method: 'PUT', path: '/healthz', body: {} });
    expectRefusal(health, 405, 'MethodNotAllowed', /./);
    expect(health.headers['allow']).toBe('GET');
    const configuration = await send(cluster.proposer(1).adminAddress, { method: 'DELETE', path: '/configuration' });
    expectRefusal(configuration, 405, 'MethodNotAllowed', /./);
    expect(configuration.headers['allow']).toBe('GET, PUT');
    const rescan = await send(cluster.proposer(1).adminAddress, { path: '/rescan' });
    expectRefusal(rescan, 405, 'MethodNotAllowed', /./);
    expect(rescan.headers['allow']).toBe('POST');
  });

  it('that is no HTTP is answered in JSON too', async () => {
    for (const line of ['GET /kv/a b HTTP/1.1', 'NONSENSE', 'GET /kv/a\x01 HTTP/1.1']) {
      const answer = await sendBytes(cluster.proposer(1).address, `${line}\r\nHost: a\r\n\r\n`);
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 400 /);
      expect(head).toMatch(/application\/json/i);
      expect(JSON.parse(body)).toMatchObject({ code: 'BadRequest' });
    }
  });
});

describe('a header', () => {
  it('that is missing, or expects what nobody knows, is answered in JSON too', async () => {
    const { address } = cluster.proposer(1);
    const hostless = await sendBytes(address, 'GET /kv/hostless HTTP/1.1\r\n\r\n');
    expect(hostless).toMatch(/^HTTP\/1\.1 400 .*connection: close.*"BadRequest","message":"a request of HTTP\/1\.1 has a Host header"/is);
    expect((await ask({ path: '/kv/expected', headers: { expect: 'the unexpected' } })).body).toMatchObject({ code: 'KeyNotFound' });
  });

  it('of Prefer that does not say wait=0 has no effect', async () => {
    const key = freshKey();
    for (const [index, prefer] of ['wait=10', 'wait', 'respond-async', 'wait=0.5', ''].entries()) {
      const written = await ask({ method: 'PUT', path: `/kv/${key}`, body: { ver: index, val: index }, headers: { prefer } });
      expect(written.body).toEqual({ key, ver: index + 1, val: index });
    }
  });

  it('Retry-After and Allow stand on no answer that they do not belong to', async () => {
    for (const path of ['/kv/a', '/KV/a', '/healthz']) {
      const { headers } = await get(path);
      for (const name of ['retry-after', 'allow', 'x-powered-by', 'etag']) expect(headers).not.toHaveProperty(name);
    }
  });
});

describe('an unconfigured proposer', () => {
  it('is alive, not ready, and refuses every operation with 503 NotConfigured at once', async () => {
    const bare = await Cluster.forThisTest({ acceptors: 1, proposers: 1, configured: 0 });
    const { address } = bare.proposer(1);
    expect((await send(address, { path: '/healthz' })).status).toBe(200);
    const startedAt = performance.now();
    for (const request of [{ path: '/readyz' }, { path: '/kv/a' }, { method: 'PUT', path: '/kv/a', body: { ver: 0, val: 1 } }]) {
      const answer = await send(address, request);
      expectRefusal(answer, 503, 'NotConfigured', /no acceptors/);
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
    expect(performance.now() - startedAt).toBeLessThan(2 * DEFAULT_LIMITS.patienceMs);
    await bare.configure({ prepare: { nodes: [], quorum: 0 }, accept: firstAcceptors(1) });
    expectRefusal(await send(address, { path: '/kv/a' }), 503, 'NotConfigured', /./);
  });

  it('becomes ready with its configuration, and loses that with its quorum', async () => {
    const bare = await Cluster.forThisTest({ acceptors: 1, proposers: 1 });
    const { address } = bare.proposer(1);
    const ready = await send(address, { path: '/readyz' });
    expect([ready.status, ready.body]).toEqual([200, { status: 'ready' }]);
    await bare.acceptor(1).kill9();
    const lost = await send(address, { path: '/readyz' });
    expectRefusal(lost, 503, 'PrepareError', /no prepare and no accept quorum of acceptors answers, for want of acceptor-1:6379/);
    expect(lost.headers['retry-after']).toBe('1');
    expect((await send(address, { path: '/healthz' })).status).toBe(200);
    await bare.acceptor(1).start();
    await expect.poll(async () => (await send(address, { path: '/readyz' })).status, { timeout: 5_000 }).toBe(200);
  });
});
