import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpLink } from '../../../verification/chaos/tcp-link.js';

/** Long enough for what would pass to pass. */
const QUIET_MS = 150;

let server: Server;
let link: TcpLink;
let client: Socket;
/** What the far side was asked; it answers each with `re:` and the same. */
let asked = '';
let answered = '';

beforeEach(async () => {
  [asked, answered] = ['', ''];
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      asked += data.toString();
      socket.write(`re:${data.toString()}`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  link = await TcpLink.open((server.address() as AddressInfo).port);
});

afterEach(async () => {
  client.destroy();
  await link.close();
  server.close();
});

async function dial(): Promise<void> {
  client = connect(link.port, '127.0.0.1');
  client.on('error', () => undefined);
  client.on('data', (data: Buffer) => (answered += data.toString()));
  await once(client, 'connect');
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await sleep(5);
}

describe('a link', () => {
  it('passes both directions, whatever it went through, and each byte once', async () => {
    await dial();
    for (const state of ['cut', 'mute', 'whole', 'whole', 'mute', 'cut', 'whole'] as const) link.set(state);
    client.write('a');
    await until(() => answered === 're:a');
    client.write('b');
    await until(() => answered === 're:are:b');
    expect(asked).toBe('ab');
  });

  it('that is cut lets no request through until it is whole', async () => {
    await dial();
    client.write('a');
    await until(() => answered === 're:a');
    link.set('cut');
    client.write('b');
    await sleep(QUIET_MS);
    expect(asked).toBe('a');
    link.set('whole');
    await until(() => answered === 're:are:b');
  });

  it('that is mute lets requests through, and replies only when it is whole', async () => {
    await dial();
    client.write('a');
    await until(() => answered === 're:a');
    link.set('mute');
    client.write('b');
    await until(() => asked === 'ab');
    await sleep(QUIET_MS);
    expect(answered).toBe('re:a');
    link.set('whole');
    await until(() => answered === 're:are:b');
  });

  it.each(['cut', 'mute'] as const)('that is %s gives no new connection to the far side', async (state) => {
    link.set(state);
    await dial();
    client.write('a');
    await sleep(QUIET_MS);
    expect(asked).toBe('');
    link.set('whole');
    await until(() => answered === 're:a');
  });

  it('delivers late what was sent by one that gave up during the cut', async () => {
    await dial();
    client.write('a');
    await until(() => answered === 're:a');
    link.set('cut');
    client.write('b');
    client.destroy();
    await sleep(QUIET_MS);
    expect(asked).toBe('a');
    link.set('whole');
    await until(() => asked === 'ab');
  });

  it('tells the near side that the far side hung up, or is not there', async () => {
    await dial();
    server.close();
    await link.close();
    await once(client, 'close');
    link = await TcpLink.open(1);
    await dial();
    await once(client, 'close');
  });
});
