import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createApp } from '../../../../node-control/page/server/app.js';
import { Observer } from '../../../../node-control/page/server/observer.js';
import { settingsFrom } from '../../../../node-control/nodes/settings.js';
import { systemTime } from '../../../../src/store/system-time.js';
import { type RawAnswer, send } from '../../../raw-http.js';

/** Nobody answers there. */
const NODES = { PROPOSERS: '127.0.0.1', ACCEPTORS: '127.0.0.1:9' };
let server: Server;

beforeAll(async () => {
  const nodes = settingsFrom(NODES);
  server = createServer(createApp(nodes, new Observer(nodes, systemTime, () => Promise.resolve()))).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close());

const get = (path: string, host = 'localhost'): Promise<RawAnswer> =>
  send(`127.0.0.1:${(server.address() as AddressInfo).port}`, { path, headers: { host } });

describe('the page', () => {
  const paths = [
    '/',
    '/main.js',
    '/docs/tour.md',
    '/uplot/uPlot.iife.min.js',
    '/healthz',
    '/keys?key=a',
    '/twin',
    '/nowhere',
    '/keys?key=%',
    '/keys?key=a&key=b',
  ];

  it.each(paths)('answers %s under no name of somebody else', async (path) => {
    expect((await get(path, 'evil.example')).status).toBe(403);
  });

  it.each(paths)('lets %s load nothing from elsewhere, and tell nothing of the inside', async (path) => {
    const { headers, text } = await get(path);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(text).not.toMatch(/node_modules|\.[jt]s:\d/);
  });

  it('has the docs that it links to, as they stand, and no other file of theirs', async () => {
    const { status, headers, text } = await get('/docs/tour.md');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(text).toMatch(/^# The tour, with pictures\n/);
    for (const path of ['/docs/glossary.md', '/docs/', '/docs/../package.json', '/docs/%2e%2e/package.json'])
      expect((await get(path)).status).toBe(404);
  });

  it('is shown in no frame of somebody else', async () => {
    expect((await get('/')).headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it.each(['/keys', '/keys?key=', `/keys?key=${'x'.repeat(513)}`, '/keys?key=a&key=b', '/keys?key[]=a'])('refuses %s', async (path) => {
    expect(await get(path)).toMatchObject({ status: 400, text: '{"message":"a key has 1 to 512 bytes"}' });
  });

  describe('takes a write', () => {
    const write = (headers: Record<string, string>, body: unknown = { key: 'a', values: {} }): Promise<RawAnswer> =>
      send(`127.0.0.1:${(server.address() as AddressInfo).port}`, {
        method: 'POST',
        path: '/writes',
        headers: { host: 'localhost:8080', ...headers },
        body,
      });

    it.each([
      ['of itself', { origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' }],
      ['of a program', {}],
    ])('%s', async (_, headers) => {
      expect(await write(headers)).toMatchObject({ status: 200, text: '[]' });
    });

    it.each([
      ['another page', { origin: 'http://evil.example' }],
      ['a page on another port', { origin: 'http://localhost:9999' }],
      ['a page of no origin', { origin: 'null' }],
      ['another site', { 'sec-fetch-site': 'cross-site' }],
      ['a form', { 'content-type': 'text/plain' }],
      ['another name', { host: 'evil.example', origin: 'http://evil.example' }],
    ])('and none of %s', async (_, headers) => {
      expect((await write(headers)).status).toBe(403);
    });

    it.each([
      ['no key', { values: {} }],
      ['a long key', { key: 'x'.repeat(513), values: {} }],
      ['a value that is no text', { key: 'a', values: { 'proposer-1': 1 } }],
      ['no object', '[]'],
    ])('and none with %s', async (_, body) => {
      expect((await write({}, body)).status).toBe(400);
    });

    it('and none that is large', async () => {
      expect((await write({}, { key: 'a', values: { 'proposer-1': 'x'.repeat(5_000) } })).status).toBe(413);
    });

    it('through proposers that it knows', async () => {
      const { text } = await write({}, { key: 'a', values: { 'evil.example': 'v', '127.0.0.1': 'v' } });
      expect(text).toMatch(/^\[\{"proposer":"127\.0\.0\.1",[^[{]*\}\]$/);
    });
  });

  describe('lets a key be watched', () => {
    const watch = (headers: Record<string, string>, body: unknown = { key: 'a' }): Promise<RawAnswer> =>
      send(`127.0.0.1:${(server.address() as AddressInfo).port}`, {
        method: 'POST',
        path: '/twin',
        headers: { host: 'localhost:8080', ...headers },
        body,
      });

    it('and tells that no proposer answers', async () => {
      const { status, body } = await watch({ origin: 'http://localhost:8080' });
      expect([status, body]).toEqual([
        200,
        {
          proposers: [{ name: 'p1', title: '127.0.0.1', isWatching: false }],
          acceptors: [{ name: 'a1', title: '127.0.0.1' }],
          moments: [],
        },
      ]);
    });

    it.each([
      ['another page', { origin: 'http://evil.example' }],
      ['another site', { 'sec-fetch-site': 'cross-site' }],
      ['a form', { 'content-type': 'text/plain' }],
      ['another name', { host: 'evil.example', origin: 'http://evil.example' }],
    ])('and not by %s', async (_, headers) => {
      expect((await watch(headers)).status).toBe(403);
    });

    it.each([[{}], [{ key: '' }], [{ key: 'x'.repeat(513) }], [{ key: 1 }], ['[]']])('and not by %o', async (body) => {
      expect((await watch({}, body)).status).toBe(400);
    });
  });

  it('looks at a bounded number of keys at the same time', async () => {
    // However long 80 requests take here, it is one moment.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const statusOf = async (index: number): Promise<number> => (await get(`/keys?key=key-${index}`)).status;
    const statuses = await Promise.all(Array.from({ length: 80 }, (_, index) => statusOf(index)));
    const [looked = 0, refused = 0] = [200, 503].map((status) => statuses.filter((each) => each === status).length);
    expect(looked + refused).toBe(80);
    // Fewer by the keys that other tests asked for just before.
    expect(looked).toSatisfy((count: number) => count > 40 && count <= 50);
    expect(await statusOf(statuses.indexOf(200))).toBe(200);
    expect(await statusOf(statuses.indexOf(503))).toBe(503);
    vi.advanceTimersByTime(1_000);
    expect(await statusOf(statuses.indexOf(503))).toBe(200);
  });
});
