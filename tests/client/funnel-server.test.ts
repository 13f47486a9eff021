import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FunnelServer } from '../../client/funnel-server.js';
import { type FunnelLine, followFunnel } from '../../src/http/funnel-stream.js';
import { freePort } from '../redis-server.js';

const HOST = '127.0.0.1';

const line = (second: number): FunnelLine => ({ second, columns: [{ readAttempts: 3, reads: 2, writes: second, networkErrors: 0 }] });

/** A reader, and what it has read. */
class Reader {
  readonly lines: FunnelLine[] = [];
  readonly end: Promise<void>;

  constructor(address: string) {
    this.end = this.#read(address);
    this.end.catch(() => undefined);
  }

  async #read(address: string): Promise<void> {
    for await (const read of followFunnel(address)) this.lines.push(read);
  }
}

describe('a client that runs', () => {
  let server: FunnelServer;
  let address: string;

  beforeEach(async () => {
    const port = await freePort();
    address = `${HOST}:${port}`;
    server = new FunnelServer();
    server.listen(HOST, port);
  });
  afterEach(() => {
    server.close();
  });

  /** Sends until this reader has read one: from then on it misses none. */
  const connected = async (reader: Reader): Promise<void> => {
    await expect
      .poll(() => {
        server.send(line(0));
        return reader.lines.length;
      })
      .toBeGreaterThan(0);
  };
  const after0 = ({ lines }: Reader): FunnelLine[] => lines.filter(({ second }) => second > 0);

  it('offers each line to every reader, from the moment that it comes', async () => {
    const first = new Reader(address);
    await connected(first);
    server.send(line(1));
    const second = new Reader(address);
    await connected(second);
    server.send(line(2));
    await expect.poll(() => after0(second)).toEqual([line(2)]);
    expect(after0(first)).toEqual([line(1), line(2)]);
  });

  it('offers server-sent events that no cache keeps', async () => {
    const response = await fetch(`http://${address}/`);
    expect(Object.fromEntries(response.headers)).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    server.send(line(1));
    const read = await response.body?.getReader().read();
    expect(Buffer.from((read?.value as Uint8Array | undefined) ?? []).toString()).toBe(`data: ${JSON.stringify(line(1))}\n\n`);
  });

  it('goes on where a reader has gone', async () => {
    const gone = new AbortController();
    await fetch(`http://${address}/`, { signal: gone.signal });
    gone.abort();
    const reader = new Reader(address);
    await connected(reader);
    server.send(line(1));
    await expect.poll(() => after0(reader)).toEqual([line(1)]);
  });

  it('ends the stream with itself, and can be followed no more', async () => {
    const reader = new Reader(address);
    await connected(reader);
    server.close();
    await reader.end;
    await expect(new Reader(address).end).rejects.toThrow();
  });

  it('does without where another one of this machine has the port', async () => {
    const other = new FunnelServer();
    other.listen(HOST, Number(address.split(':')[1]));
    const reader = new Reader(address);
    await connected(reader);
    other.send(line(1));
    server.send(line(2));
    await expect.poll(() => after0(reader)).toEqual([line(2)]);
    other.close();
  });
});

describe('who follows', () => {
  /** Answers with these pieces, one after the other. */
  async function following(pieces: readonly string[]): Promise<FunnelLine[]> {
    const server = createServer((_request, response) => {
      void (async () => {
        for (const piece of pieces) {
          response.write(piece);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        response.end();
      })();
    }).listen(0, HOST);
    await once(server, 'listening');
    const reader = new Reader(`${HOST}:${(server.address() as AddressInfo).port}`);
    await reader.end;
    server.close();
    return reader.lines;
  }

  it('reads an event that comes in pieces, and several that come in one', async () => {
    const [first, second, third] = [1, 2, 3].map((number) => `data: ${JSON.stringify(line(number))}\n\n`) as [string, string, string];
    const pieces = [first.slice(0, 9), first.slice(9, -1), `\n${second}${third.slice(0, 20)}`, third.slice(20)];
    expect(await following(pieces)).toEqual([line(1), line(2), line(3)]);
  });

  it('gives up on one that takes the connection and says nothing', async () => {
    const server = createServer(() => undefined).listen(0, HOST);
    await once(server, 'listening');
    await expect(new Reader(`${HOST}:${(server.address() as AddressInfo).port}`).end).rejects.toThrow();
    server.closeAllConnections();
    server.close();
  });

  it('does not take half an event for one', async () => {
    expect(await following([`data: ${JSON.stringify(line(1))}\n\ndata: {"sec`])).toEqual([line(1)]);
  });
});
