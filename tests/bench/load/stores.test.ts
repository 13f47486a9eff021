import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server as GrpcServer, ServerCredentials, type ServiceError, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { EtcdKv } from '../../../bench/load/etcd-store.js';
import { type LoadedStore, NotServed } from '../../../bench/load/loaded-store.js';
import { openStore, type Protocol } from '../../../bench/load/stores.js';
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

interface Told {
  readonly method: string;
  readonly request: unknown;
}

/** An etcd that notes what it is asked, and answers with one thing. */
async function againstEtcd(answer: object | ServiceError): Promise<{ store: LoadedStore; asked: Told[] }> {
  const asked: Told[] = [];
  const server = new GrpcServer();
  const handlers = ['Range', 'Txn'].map((method) => [
    method,
    ({ request }: { request: unknown }, reply: (error: object | null, value?: object) => void) => {
      asked.push({ method, request });
      if (answer instanceof Error) reply(answer);
      else reply(null, answer);
    },
  ]);
  server.addService(EtcdKv.service, Object.fromEntries(handlers) as UntypedServiceImplementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  const store = await openStore('etcd', `127.0.0.1:${port}`, TIMEOUT_MS);
  onTestFinished(async () => {
    await store.close();
    server.forceShutdown();
  });
  return { store, asked };
}

it('reads from etcd with its default, linearizable range', async () => {
  const { store, asked } = await againstEtcd({ kvs: [{ mod_revision: '42', value: Buffer.from('[3,"x"]') }] });
  expect(await store.read('ä')).toEqual({ ver: '42', val: [3, 'x'] });
  expect(asked).toEqual([{ method: 'Range', request: { key: Buffer.from('ä') } }]);
});

it('reads a key that etcd does not have as the revision that creates it', async () => {
  const { store } = await againstEtcd({});
  expect(await store.read('k')).toEqual({ ver: '0', val: undefined });
});

it.each([
  [{ succeeded: true }, true],
  [{}, false],
])('writes to etcd in one transaction that compares the revision; %o means %s', async (answer, isWritten) => {
  const { store, asked } = await againstEtcd(answer);
  expect(await store.write('k', { ver: '42', val: 1 }, 2)).toBe(isWritten);
  const key = Buffer.from('k');
  expect(asked).toEqual([
    {
      method: 'Txn',
      request: {
        compare: [{ key, target: 'MOD', result: 'EQUAL', mod_revision: '42' }],
        success: [{ request_put: { key, value: Buffer.from('2') } }],
      },
    },
  ]);
});

it('passes on what etcd says instead of an answer', async () => {
  const refusal = Object.assign(new Error(), { code: status.UNAVAILABLE, details: 'etcdserver: leader changed' });
  const { store } = await againstEtcd(refusal);
  await expect(store.read('k')).rejects.toThrow(new NotServed('etcdserver: leader changed'));
});

/** A ZooKeeper that opens a session, and then gives one answer to each operation: an error, or what it has of a node. Notes the operations. */
async function againstZooKeeper(answer: {
  error?: number;
  data?: string;
  version?: number;
}): Promise<{ store: LoadedStore; asked: number[] }> {
  const asked: number[] = [];
  const int = (number: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(number);
    return bytes;
  };
  const sized = (bytes: Buffer): Buffer => Buffer.concat([int(bytes.length), bytes]);
  const body = Buffer.concat([sized(Buffer.from(answer.data ?? '')), Buffer.alloc(32), int(answer.version ?? 0)]);
  const server = createTcpServer((socket) => {
    let unread = Buffer.alloc(0);
    let isOpen = false;
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= 4 && unread.length >= 4 + unread.readInt32BE()) {
        if (isOpen) asked.push(unread.readInt32BE(8));
        const told = isOpen ? Buffer.concat([unread.subarray(4, 8), Buffer.alloc(8), int(answer.error ?? 0), body]) : Buffer.alloc(37);
        isOpen = true;
        // In two parts, as a network may bring it.
        socket.write(sized(told).subarray(0, 7));
        socket.write(sized(told).subarray(7));
        unread = unread.subarray(4 + unread.readInt32BE());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const store = await openStore('zookeeper', `127.0.0.1:${(server.address() as AddressInfo).port}`, TIMEOUT_MS);
  onTestFinished(async () => {
    await store.close();
    server.close();
  });
  return { store, asked };
}

it('reads from ZooKeeper after a sync, and writes with the version; what it does not have, it creates', async () => {
  const { store, asked } = await againstZooKeeper({ data: '[3,"x"]', version: 7 });
  expect(await store.read('k')).toEqual({ ver: 7, val: [3, 'x'] });
  expect(await store.write('k', { ver: 7, val: 1 }, 2)).toBe(true);
  expect(await store.write('k', { ver: 0, val: undefined }, 2)).toBe(true);
  expect(asked).toEqual([9, 4, 5, 1]);
});

it.each([
  ['another version', -103],
  ['a node that exists', -110],
])('takes %s of ZooKeeper as a write that came too late', async (_what, error) => {
  const { store } = await againstZooKeeper({ error });
  expect(await store.write('k', { ver: 4, val: 1 }, 2)).toBe(false);
});

it('knows a node that ZooKeeper does not have from one that it does not serve, and notices the end of its session', async () => {
  const absent = await againstZooKeeper({ error: -101 });
  expect(await absent.store.read('k')).toEqual({ ver: 0, val: undefined });
  const { store } = await againstZooKeeper({ error: -4 });
  await expect(store.read('k')).rejects.toThrow(NotServed);
  await store.close();
  await expect(store.read('k')).rejects.toThrow(NetworkError);
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
  await expect(Promise.race([store.write('k', { ver: 1, val: 1 }, 2), late])).rejects.toThrow(NetworkError);
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
