import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { NetworkError } from '../../src/http/client.js';
import { type HeldValue, type LoadedStore, NotServed } from './loaded-store.js';

/** Of the protocol's operations. */
const [CREATE, GET_DATA, SET_DATA, SYNC, PING] = [1, 4, 5, 9, 11];
const PING_XID = -2;
const [NO_NODE, BAD_VERSION, NODE_EXISTS] = [-101, -103, -110];
const SESSION_TIMEOUT_MS = 30_000;
/** Everybody may do everything. */
const OPEN_ACL = Buffer.concat([int(1), int(31), sized('world'), sized('anyone')]);
/** An answer begins with the request's number, a transaction and an error; the version of a node is behind four numbers of eight bytes. */
const [HEADER_BYTES, BEFORE_VERSION_BYTES] = [16, 32];

interface ZooKeeperAnswer {
  readonly error: number;
  readonly body: Buffer;
}

/** A session with a node of ZooKeeper: `sync` and `getData`, which together are a linearizable read, and `setData` with the version. It is not opened again. */
export class ZooKeeperStore implements LoadedStore {
  readonly #socket: Socket;
  /** A session is answered in order. The first answer is that to the session itself. */
  readonly #waiting: { resolve: (answer: ZooKeeperAnswer) => void; reject: (error: Error) => void }[] = [];
  readonly #pings: NodeJS.Timeout;
  #unread = Buffer.alloc(0);
  #isOpen = false;
  #xid = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#pings = setInterval(() => socket.write(frame(int(PING_XID), int(PING))), SESSION_TIMEOUT_MS / 3).unref();
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.once('close', () => this.#giveUp());
  }

  static async connect(address: string): Promise<ZooKeeperStore> {
    const [host, port] = address.split(':');
    const socket = connect(Number(port), host).setNoDelay();
    await once(socket, 'connect');
    const store = new ZooKeeperStore(socket);
    // Protocol version 0, no transaction seen, no earlier session, and not for reads only.
    const opened = store.#answer();
    socket.write(frame(int(0), Buffer.alloc(8), int(SESSION_TIMEOUT_MS), Buffer.alloc(8), sized(Buffer.alloc(16)), Buffer.alloc(1)));
    await opened;
    return store;
  }

  async read(key: string): Promise<HeldValue> {
    const at = sized(`/${key}`);
    const [synced, { error, body }] = await this.#ask([SYNC, at], [GET_DATA, at, Buffer.alloc(1)]);
    if (error === NO_NODE) return { ver: 0, val: undefined };
    if (synced.error !== 0 || error !== 0) throw new NotServed(`ZooKeeper's error ${synced.error || error}`);
    const end = 4 + body.readInt32BE();
    return { ver: body.readInt32BE(end + BEFORE_VERSION_BYTES), val: JSON.parse(body.toString('utf8', 4, end)) as unknown };
  }

  async write(key: string, { ver, val: held }: HeldValue, val: unknown): Promise<boolean> {
    const [at, data] = [sized(`/${key}`), sized(JSON.stringify(val))];
    // A node that was just created has version 0: only its value tells it from one that is not there.
    const [{ error }] = await this.#ask(held === undefined ? [CREATE, at, data, OPEN_ACL, int(0)] : [SET_DATA, at, data, int(Number(ver))]);
    if (error === BAD_VERSION || error === NODE_EXISTS) return false;
    if (error !== 0) throw new NotServed(`ZooKeeper's error ${error}`);
    return true;
  }

  async close(): Promise<void> {
    this.#socket.destroy();
  }

  /** Sends requests together. */
  async #ask<Requests extends readonly (readonly [number, ...Buffer[]])[]>(
    ...requests: Requests
  ): Promise<{ [At in keyof Requests]: ZooKeeperAnswer }> {
    if (this.#socket.destroyed) throw new NetworkError('the session with ZooKeeper is over');
    const frames = requests.map(([operation, ...parts]) => frame(int((this.#xid += 1)), int(operation), ...parts));
    const answers = Promise.all(requests.map(() => this.#answer()));
    this.#socket.write(Buffer.concat(frames));
    return (await answers) as { [At in keyof Requests]: ZooKeeperAnswer };
  }

  #answer(): Promise<ZooKeeperAnswer> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #take(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    let at = 0;
    while (this.#unread.length >= at + 4 && this.#unread.length >= at + 4 + this.#unread.readInt32BE(at)) {
      const end = at + 4 + this.#unread.readInt32BE(at);
      this.#told(this.#unread.subarray(at + 4, end));
      at = end;
    }
    this.#unread = this.#unread.subarray(at);
  }

  #told(answer: Buffer): void {
    if (this.#isOpen && answer.readInt32BE() === PING_XID) return;
    const error = this.#isOpen ? answer.readInt32BE(HEADER_BYTES - 4) : 0;
    this.#isOpen = true;
    this.#waiting.shift()?.resolve({ error, body: answer.subarray(HEADER_BYTES) });
  }

  #giveUp(): void {
    clearInterval(this.#pings);
    for (const { reject } of this.#waiting.splice(0)) reject(new NetworkError('the session with ZooKeeper is over'));
  }
}

function int(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return bytes;
}

/** With its length before it. */
function sized(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([int(bytes.length), bytes]);
}

function frame(...parts: readonly Buffer[]): Buffer {
  return sized(Buffer.concat(parts));
}
