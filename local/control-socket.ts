import { chmodSync, existsSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { FolderInUse, type FolderLock, lockFolder } from '../src/node/folder-lock.js';
import { sayWhy, Trouble, unwritable } from './trouble.js';

/** One line of JSON each way on the supervisor's socket. */
export interface ControlRequest {
  readonly action: string;
  readonly node?: string;
}

export interface ControlReply {
  readonly ok: boolean;
  readonly message: string;
}

/** A connection that asks nothing for so long is closed. */
const SILENCE_MS = 2_000;

/**
 * Asks the supervisor. Resolves when it has closed the connection; undefined where nobody listens, or where it ended without a reply.
 * Rejects with {@link Trouble} where it does not answer in time.
 */
export function ask(path: string, request: ControlRequest, timeoutMs: number): Promise<ControlReply | undefined> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path, () => socket.write(`${JSON.stringify(request)}\n`));
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new Trouble(
          `the supervisor of the local cluster does not answer within ${timeoutMs / 1_000} s: see whether its terminal is suspended`,
        ),
      );
    }, timeoutMs);
    const settle = () => {
      clearTimeout(timer);
      resolve(text === '' ? undefined : (JSON.parse(text) as ControlReply));
    };
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('end', settle);
    socket.on('error', settle);
  });
}

/** The supervisor's end: the proof that the cluster runs, and the one thing that only one supervisor of a data folder can hold. */
export class ControlSocket {
  readonly #lock: FolderLock;
  readonly #open: ReadonlySet<Promise<void>>;

  private constructor(lock: FolderLock, open: ReadonlySet<Promise<void>>) {
    this.#lock = lock;
    this.#open = open;
  }

  /**
   * Takes the socket, also from a supervisor that died and left it. Returns with it whether there was such a one.
   *
   * @param handle the reply's message; what it rejects with becomes a reply that is not ok
   */
  static async claim(
    path: string,
    handle: (request: ControlRequest) => Promise<string>,
  ): Promise<{ control: ControlSocket; wasStale: boolean }> {
    const open = new Set<Promise<void>>();
    const wasStale = existsSync(path);
    const lock = await lockFolder(path, (socket) => {
      const served = serve(socket, handle).finally(() => open.delete(served));
      open.add(served);
    }).catch((error: unknown) => {
      if (!(error instanceof FolderInUse)) throw unwritable(`listen on ${path}`, sayWhy(error));
      throw new Trouble(
        `a local cluster already runs on this data folder${since(path)}. Stop it first, its data stays: ./build-run.sh --local --stop`,
      );
    });
    chmodSync(path, 0o600);
    return { control: new ControlSocket(lock, open), wasStale };
  }

  /** Removes the socket and resolves when every reply is on its way. */
  async close(): Promise<void> {
    void this.#lock.close();
    await Promise.all(this.#open);
  }
}

/** A socket is made when its supervisor starts. */
function since(path: string): string {
  const made = statSync(path, { throwIfNoEntry: false })?.mtime;
  return made ? `, since ${made.toISOString().slice(0, 19).replace('T', ' ')} UTC` : '';
}

async function serve(socket: Socket, handle: (request: ControlRequest) => Promise<string>): Promise<void> {
  socket.on('error', () => undefined);
  const line = await readLine(socket);
  if (line === undefined) return;
  let request: ControlRequest | undefined;
  let reply: ControlReply;
  try {
    request = JSON.parse(line) as ControlRequest;
    reply = { ok: true, message: await handle(request) };
  } catch (error) {
    reply = { ok: false, message: sayWhy(error) };
  }
  // Who asked for the end waits for the end of the connection, which is that of this process.
  if (request?.action === 'stop') socket.write(JSON.stringify(reply));
  else socket.end(JSON.stringify(reply));
}

/** Undefined where the other side hangs up, or says nothing for a while. */
function readLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      socket.setTimeout(0);
      resolve(text);
    });
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.on('close', () => resolve(undefined));
  });
}
