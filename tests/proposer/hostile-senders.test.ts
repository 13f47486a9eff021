import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CONNECTIONS_MAX, HEADERS_MAX_BYTES, REQUEST_TIMEOUT_MS } from '../../proposer/limits.js';
import { Cluster, configurationOf, majorities } from '../cluster.js';
import { attack, malformedHttp } from '../hostile-requests.js';
import { counterOf, increment, newTally } from '../increments.js';
import { send, sendBytes } from '../raw-http.js';

/** More than any of our own time-outs, on a machine that is busy with other things. */
const HANG_MS = REQUEST_TIMEOUT_MS + 20_000;
const MALFORMED = 10_000;
const TOO_LARGE = expect.stringMatching(/^HTTP\/1.1 413 .*"code":"PayloadTooLarge"/s) as string;
const REFUSED_OR_CLOSED = expect.stringMatching(/^HTTP\/1.1 400 |^$/) as string;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ acceptors: 1, proposers: 1 });
});
afterAll(() => cluster.stop());

interface Port {
  readonly name: string;
  readonly address: string;
  /** Where a body is read, and where a body that is well-formed would change something. */
  readonly put: string;
  /** What answers at once. */
  readonly get: string;
}
const ports = (): Port[] => [
  { name: 'public', address: cluster.proposer(1).address, put: '/kv/a', get: '/healthz' },
  { name: 'admin', address: cluster.proposer(1).adminAddress, put: '/configuration', get: '/configuration' },
];
const putting = ({ put }: Port, headers: string, body: string): string =>
  `PUT ${put} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`;
/** For either port. */
const CHANGE = JSON.stringify({ ver: 0, val: 1, expectedEra: 1, era: 2, ...majorities(1) });

async function connected(address: string): Promise<{ socket: Socket; received: () => string }> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  await once(socket, 'connect');
  return { socket, received: () => received };
}

const destroyed = (connections: { socket: Socket }[]): number => connections.filter(({ socket }) => socket.destroyed).length;
const statusOf = (address: string, path: string): Promise<number> =>
  send(address, { path }).then(
    ({ status }) => status,
    () => 0,
  );

async function serves(): Promise<void> {
  expect((await send(cluster.proposer(1).address, { path: '/healthz' })).status).toBe(200);
  expect((await cluster.proposer(1).admin.configuration()).ok).toBe(true);
}

describe('each port', () => {
  it('refuses headers and bodies that are too large, of a length that is told and of one that is not', async () => {
    for (const port of ports()) {
      const headers = await sendBytes(port.address, `GET ${port.get} HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(HEADERS_MAX_BYTES)}\r\n\r\n`);
      expect(headers).toMatch(/^HTTP\/1.1 431 /);
      expect(headers).toContain('"code":"HeadersTooLarge"');
      const body = JSON.stringify('x'.repeat(70_000));
      const told = putting(port, `Content-Length: ${body.length}`, body);
      const untold = putting(port, 'Transfer-Encoding: chunked', `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
      for (const request of [told, untold]) expect([port.name, await sendBytes(port.address, request)]).toEqual([port.name, TOO_LARGE]);
    }
    await serves();
  });

  it('does nothing for a request that is cut off: in its headers, in a body of a told length, in a chunked one', async () => {
    for (const port of ports()) {
      const cut = [
        `GET ${port.get} HTTP/1.1\r\nHost: a\r\nX-Half: `,
        putting(port, `Content-Length: ${CHANGE.length + 1}`, CHANGE),
        putting(port, 'Transfer-Encoding: chunked', `${CHANGE.length.toString(16)}\r\n${CHANGE}\r\n`),
      ];
      for (const request of cut) expect([request, await sendBytes(port.address, request)]).toEqual([request, REFUSED_OR_CLOSED]);
    }
    expect(await cluster.proposer(1).kv.get('a')).toMatchObject({ code: 'KeyNotFound' });
    expect(await configurationOf(cluster.proposer(1))).toMatchObject({ era: 1 });
    expect(cluster.proposer(1).logged('a request failed by a fault')).toEqual([]);
    for (const port of ports()) {
      const { status } = await send(port.address, { method: 'PUT', path: port.put, body: CHANGE });
      expect([port.name, status]).toEqual([port.name, expect.toBeOneOf([200, 201])]);
    }
  });

  it(
    'cuts slow senders off, of headers, of a body and of chunks',
    async () => {
      const slow = ports().flatMap((port) =>
        [
          `GET ${port.get} HTTP/1.1\r\nHost: a\r\n`,
          putting(port, 'Content-Length: 99', '{'),
          putting(port, 'Transfer-Encoding: chunked', 'fff\r\n{'),
        ].map(async (begin) => {
          const { socket, received } = await connected(port.address);
          socket.write(begin);
          const drip = setInterval(() => {
            if (socket.writable) socket.write('x');
          }, 500);
          await once(socket, 'close');
          clearInterval(drip);
          return [begin, received()];
        }),
      );
      for (const [begin, answer] of await Promise.all(slow)) {
        expect([begin, answer]).toEqual([begin, expect.stringMatching(/^HTTP\/1.1 408 .*"code":"RequestTimeout"/s)]);
      }
      await serves();
    },
    HANG_MS,
  );

  it('takes so many connections and no more, and serves again when they are gone', async () => {
    for (const { address, get } of ports()) {
      const held = await Promise.all(Array.from({ length: CONNECTIONS_MAX + 50 }, () => connected(address)));
      await expect.poll(() => destroyed(held), { timeout: 10_000 }).toBeGreaterThanOrEqual(50);
      expect(destroyed(held)).toBeLessThan(60);
      for (const { socket } of held) socket.destroy();
      await expect.poll(() => statusOf(address, get), { timeout: 10_000 }).toBe(200);
    }
  });

  it('answers a thousand requests that come in one piece, in their order', async () => {
    for (const { address, get } of ports()) {
      const { socket, received } = await connected(address);
      socket.write(`GET ${get} HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(500));
      const statuses = (): string[] => (received().match(/HTTP\/1.1 \d+ /g) ?? []).map((line) => line.slice(9, 12));
      await expect.poll(() => statuses().length, { timeout: 20_000 }).toBe(1_000);
      expect(statuses()).toEqual(Array.from({ length: 500 }, () => ['200', '404']).flat());
    }
    await serves();
  });
});

describe('10,000 random and malformed requests on each port', () => {
  it('crash nothing and are no fault of the proposer; meanwhile it serves, and its memory stays as it was', async () => {
    const proposer = cluster.proposer(1);
    const end = { isOver: false };
    const tally = newTally();
    const client = (async () => {
      while (!end.isOver) await increment(proposer.kv, 'steady', tally);
    })();
    const faults: string[][] = [];
    const noteFault = (answer: string, sent: string): void => {
      if (answer.startsWith('HTTP/1.1 500 ')) faults.push([sent, answer]);
    };
    const all = (count: number): Promise<unknown> =>
      Promise.all(ports().map(({ address }) => attack(address, count, malformedHttp, noteFault)));
    await all(MALFORMED / 5);
    const before = proposer.memoryMib;
    await all(MALFORMED);
    expect(faults).toEqual([]);
    expect(proposer.memoryMib).toBeLessThan(before + 100);
    end.isOver = true;
    await client;
    expect(tally.codes.has('NetworkError')).toBe(false);
    expect(tally.acknowledged).toBeGreaterThan(10);
    const grown = await counterOf(proposer.kv, 'steady');
    expect(grown).toBeGreaterThanOrEqual(tally.acknowledged);
    expect(grown).toBeLessThanOrEqual(tally.acknowledged + tally.unknown);
    expect(proposer.logged('a request failed by a fault')).toEqual([]);
    await serves();
  }, 300_000);
});
