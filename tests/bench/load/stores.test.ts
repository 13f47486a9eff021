import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { NotServed, openStore, type Protocol, type LoadedStore } from '../../../bench/load/stores.js';
import { NetworkError } from '../../../src/http/client.js';
import { RedisServer } from '../../redis-server.js';

const TIMEOUT_MS = 2_000;

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly body: string;
}

/** A server that notes what it is asked, and answers with one thing. */
async function against(protocol: Protocol, status: number, answer: unknown): Promise<{ store: LoadedStore; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push({ method: request.method, url: request.url, body });
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const store = await openStore(protocol, `127.0.0.1:${(server.address() as AddressInfo).port}`, TIMEOUT_MS);
  onTestFinished(async () => {
    await store.close();
    server.closeAllConnections();
    server.close();
  });
  return { store, asked };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

it('reads from etcd with its default, linearizable range', async () => {
  const { store, asked } = await against('etcd', 200, { kvs: [{ mod_revision: '42', value: base64('[3,"x"]') }] });
  expect(await store.read('ä')).toEqual({ ver: '42', val: [3, 'x'] });
  expect(asked).toEqual([{ method: 'POST', url: '/v3/kv/range', body: JSON.stringify({ key: base64('ä') }) }]);
});

it('reads a key that etcd does not have as the revision that creates it', async () => {
  const { store } = await against('etcd', 200, {});
  expect(await store.read('k')).toEqual({ ver: '0', val: undefined });
});

it.each([
  [{ succeeded: true }, true],
  [{}, false],
])('writes to etcd in one transaction that compares the revision; %o means %s', async (answer, isWritten) => {
  const { store, asked } = await against('etcd', 200, answer);
  expect(await store.write('k', { ver: '42', val: 1 }, 2)).toBe(isWritten);
  expect(asked.map(({ url, body }) => [url, JSON.parse(body) as unknown])).toEqual([
    [
      '/v3/kv/txn',
      {
        compare: [{ key: base64('k'), target: 'MOD', result: 'EQUAL', mod_revision: '42' }],
        success: [{ requestPut: { key: base64('k'), value: base64('2') } }],
      },
    ],
  ]);
});

it('passes on what etcd says instead of an answer', async () => {
  const { store } = await against('etcd', 503, { error: 'etcdserver: leader changed' });
  await expect(store.read('k')).rejects.toThrow(new NotServed('etcdserver: leader changed'));
});

it('takes a mismatch that names another version as one, and one that names the version that was expected as a failure', async () => {
  const { store } = await against('proposer', 409, { code: 'VersionMismatch', message: 'no', ver: 5, val: 1 });
  expect(await store.write('k', { ver: 4, val: 1 }, 2)).toBe(false);
  await expect(store.write('k', { ver: 5, val: 1 }, 2)).rejects.toThrow(NotServed);
});

it('takes any other refusal of a proposer as a failure', async () => {
  const { store } = await against('proposer', 504, { code: 'CommitError', message: 'unknown' });
  await expect(store.write('k', { ver: 4, val: 1 }, 2)).rejects.toThrow('CommitError (unknown)');
});

it.each(['proposer', 'etcd'] as const)('says that %s did not answer where nobody does', async (protocol) => {
  const store = await openStore(protocol, '127.0.0.1:1', TIMEOUT_MS);
  onTestFinished(() => store.close());
  await expect(store.read('k')).rejects.toThrow(NetworkError);
});

it.each(['proposer', 'etcd'] as const)('waits for %s no longer than it is told, also below a second', async (protocol) => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const store = await openStore(protocol, `127.0.0.1:${(server.address() as AddressInfo).port}`, 100);
  onTestFinished(() => store.close());
  const late = sleep(900, 'later');
  // Timers that are due at once fire in order, however long the machine had stalled.
  await expect(Promise.race([store.read('k'), late])).rejects.toThrow(NetworkError);
  await expect(Promise.race([store.write('k', { ver: 1, val: 1 }, 2), late])).rejects.toThrow('100 ms');
});

it('writes to a bare Redis with both scripts, and reads it back', async () => {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.stop());
  const store = await openStore('acceptor', redis.address, TIMEOUT_MS);
  onTestFinished(() => store.close());
  const absent = await store.read('k');
  expect(absent.val).toBeUndefined();
  expect([await store.write('k', absent, [1, 'x']), await store.write('k', absent, [2, 'x'])]).toEqual([true, true]);
  expect((await store.read('k')).val).toEqual([2, 'x']);
});
