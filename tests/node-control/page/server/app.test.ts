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
  const paths = ['/', '/main.js', '/uplot/dist/uPlot.esm.js', '/healthz', '/keys?key=a', '/nowhere', '/keys?key=%', '/keys?key=a&key=b'];

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

  it('is shown in no frame of somebody else', async () => {
    expect((await get('/')).headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it.each(['/keys', '/keys?key=', `/keys?key=${'x'.repeat(513)}`, '/keys?key=a&key=b', '/keys?key[]=a'])('refuses %s', async (path) => {
    expect(await get(path)).toMatchObject({ status: 400, text: '{"message":"a key has 1 to 512 bytes"}' });
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
