import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CONNECTIONS_MAX, HEADERS_MAX_BYTES, REQUEST_TIMEOUT_MS } from '../../proposer/limits.js';
import { Cluster } from '../cluster.js';
import { send, sendBytes } from '../raw-http.js';

/** More than any of our own time-outs, on a machine that is busy with other things. */
const HANG_MS = REQUEST_TIMEOUT_MS + 20_000;
const MALFORMED = 10_000;
const AT_ONCE = 50;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ acceptors: 1, proposers: 1 });
});
afterAll(() => cluster.stop());

const ports = (): [string, string][] => [
  ['public', cluster.proposer(1).address],
  ['admin', cluster.proposer(1).adminAddress],
];

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

async function serves(): Promise<void> {
  expect((await send(cluster.proposer(1).address, { path: '/healthz' })).status).toBe(200);
  expect((await cluster.proposer(1).admin.configuration()).ok).toBe(true);
}

describe('each port', () => {
  it('refuses headers and bodies that are too large', async () => {
    for (const [, address] of ports()) {
      const large = await sendBytes(address, `GET /kv/a HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(HEADERS_MAX_BYTES)}\r\n\r\n`);
      expect(large).toMatch(/^HTTP\/1.1 431 /);
      expect(large).toContain('"code":"HeadersTooLarge"');
    }
    const body = { method: 'PUT', path: '/kv/a', body: { ver: 0, val: 'x'.repeat(70_000) } };
    expect((await send(cluster.proposer(1).address, body)).status).toBe(413);
    expect((await send(cluster.proposer(1).adminAddress, { ...body, path: '/configuration' })).status).toBe(413);
    await serves();
  });

  it(
    'cuts slow senders off, of headers and of a body',
    async () => {
      const slow = await Promise.all(
        ports().flatMap(([, address]) =>
          [
            'GET /healthz HTTP/1.1\r\nHost: a\r\n',
            'PUT /configuration HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
          ].map(async (begin) => {
            const { socket, received } = await connected(address);
            socket.write(begin);
            const drip = setInterval(() => {
              if (socket.writable) socket.write('x');
            }, 500);
            await once(socket, 'close');
            clearInterval(drip);
            return received();
          }),
        ),
      );
      for (const answer of slow) expect(answer).toMatch(/^HTTP\/1.1 (408|400|404|405) |^$/);
      expect(slow.filter((answer) => answer.includes('"code":"RequestTimeout"')).length).toBeGreaterThan(0);
      await serves();
    },
    HANG_MS,
  );

  it('takes so many connections and no more, and serves again when they are gone', async () => {
    const held = await Promise.all(Array.from({ length: CONNECTIONS_MAX + 50 }, () => connected(cluster.proposer(1).address)));
    await expect.poll(() => held.filter(({ socket }) => socket.destroyed).length, { timeout: 10_000 }).toBeGreaterThan(0);
    for (const { socket } of held) socket.destroy();
    await expect
      .poll(
        () =>
          send(cluster.proposer(1).address, { path: '/healthz' }).then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 10_000 },
      )
      .toBe(200);
  });

  it('answers a thousand requests that come in one piece, in their order', async () => {
    const one = 'GET /kv/pipelined HTTP/1.1\r\nHost: a\r\n\r\n';
    const { socket, received } = await connected(cluster.proposer(1).address);
    socket.write(one.repeat(1_000));
    await expect.poll(() => received().match(/HTTP\/1.1 (404|503) /g)?.length, { timeout: 20_000 }).toBe(1_000);
    await serves();
  });
});

describe('10,000 random and malformed requests on each port', () => {
  it('crash nothing and are no fault of the proposer; meanwhile it serves, and its memory stays as it was', async () => {
    const proposer = cluster.proposer(1);
    await proposer.kv.put('steady', 0, 0);
    const end = { isOver: false };
    let written = 0;
    const client = (async () => {
      while (!end.isOver) {
        const answer = await proposer.kv.put('steady', written + 1, written);
        expect(answer).toMatchObject({ ok: true });
        written += 1;
      }
    })();
    const attack = async (address: string, from: number, count: number): Promise<void> => {
      for (let number = from; number < from + count; number += 1) {
        const answer = await sendBytes(address, malformed(number)).catch(() => '');
        expect([malformed(number), answer]).not.toEqual([malformed(number), expect.stringMatching(/^HTTP\/1.1 500 /)]);
      }
    };
    const all = (count: number): Promise<unknown> =>
      Promise.all(
        ports().flatMap(([, address]) =>
          Array.from({ length: AT_ONCE }, (_, index) => attack(address, index * 1_000_003, count / AT_ONCE)),
        ),
      );
    await all(MALFORMED / 5);
    const before = proposer.memoryMib;
    await all(MALFORMED);
    expect(proposer.memoryMib).toBeLessThan(before + 60);
    end.isOver = true;
    await client;
    expect(written).toBeGreaterThan(10);
    expect(proposer.logged('a request failed by a fault')).toEqual([]);
    await serves();
  }, 120_000);
});

/** A request that depends on the number alone; few of them are well-formed. */
function malformed(number: number): string {
  let state = number >>> 0;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = (...choices: string[]): string => choices[random(choices.length)] ?? '';
  const noise = (length: number): string => Array.from({ length }, () => String.fromCharCode(random(256))).join('');
  const path = pick(
    '/',
    '/kv/',
    '/kv/a',
    `/kv/${noise(20)}`,
    '/kv/%',
    '/kv/%ff%fe',
    '/kv/..%2f',
    '/configuration',
    '/rescan',
    '/identity',
    `/${'a'.repeat(random(9_000))}`,
  );
  const body = pick(
    '',
    '{',
    '[]',
    'null',
    '{"ver":0}',
    '{"ver":-1,"val":1}',
    '{"__proto__":{"a":1}}',
    '['.repeat(5_000),
    `{"era":1,"keys":[${'"a",'.repeat(20)}1]}`,
    noise(200),
  );
  const length = pick(
    '',
    `Content-Length: ${body.length}\r\n`,
    `Content-Length: ${body.length + random(9)}\r\n`,
    'Content-Length: -1\r\n',
    'Content-Length: 1e3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n',
  );
  const type = pick(
    '',
    'Content-Type: application/json\r\n',
    'Content-Type: application/json; charset=utf-7\r\n',
    'Content-Encoding: gzip\r\n',
    'Prefer: wait=0\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: websocket\r\nConnection: Upgrade\r\n',
    `${noise(10)}\r\n`,
  );
  const method = pick('GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', noise(4));
  const version = pick('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', '');
  const whole = `${method} ${path} ${version}\r\nHost: a\r\n${type}${length}Connection: close\r\n\r\n${body}`;
  return random(10) === 0 ? whole.slice(0, random(whole.length)) : whole;
}
