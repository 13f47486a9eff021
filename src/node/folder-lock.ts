import { randomInt } from 'node:crypto';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Who meets another one tries again so often: a taking is a matter of milliseconds, on a machine that stalls of some hundred. */
const TRIES = 20;
const PAUSE_MAX_MS = 100;

/** So many names that none comes twice. */
const CLAIMS = 36 ** 6;
const CLAIM = /^[0-9a-z]{6}$/;

/** What every kernel takes. Node.js cuts off what is beyond, without a word, and listens at another path. */
const SOCKET_BYTES_MAX = 103;

/** No socket there, or one that nobody listens on any more. */
const ABANDONED = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'];

/** Somebody listened when the connection began, and ended before it was answered. */
const LEAVING = 'ECONNRESET';

/** Another process holds the lock. */
export class FolderInUse extends Error {
  constructor(message = 'another process uses this state folder') {
    super(message);
  }
}

/**
 * Keeps a second process out of a folder: a socket in it that somebody listens on. It goes with the process however that ends, which a
 * file with a process number does not, and reaches across containers that share the volume.
 *
 * The socket of a process that died is removed by the next one, which must not remove that of a third one instead: so only who has a claim,
 * which one process at a time has, touches the socket.
 *
 * @param path of the socket; at most 96 bytes, so preferably relative to the working folder
 * @param answer is given each connection to the socket, that of a process which only looks whether it is held among them
 * @throws FolderInUse if another process holds it; an error of the system if no socket can be made there
 */
export async function lockFolder(path: string, answer = (socket: Socket): void => void socket.destroy()): Promise<Server> {
  const spare = SOCKET_BYTES_MAX - Buffer.byteLength(claimed(path, 0));
  if (spare < 0)
    throw new Error(`${path} is ${-spare} bytes too long for a socket: begin nearer to the folder, or let its path be shorter`);
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const claim = await Claim.on(path);
    try {
      if (await claim.isAlone()) {
        if (await isHeld(path)) throw new FolderInUse();
        rmSync(path, { force: true });
        return await listening(path, answer);
      }
    } finally {
      claim.giveUp();
    }
    await sleep(randomInt(PAUSE_MAX_MS));
  }
  throw new FolderInUse('other processes take this state folder at the same time');
}

/**
 * The intention to take a lock. Each has a name that is never used again, so the file of one that died can be removed at any time; and each is
 * seen by the others before it looks for them, so of two the later one sees the earlier, however long either stands still.
 */
class Claim {
  readonly #path: string;
  readonly #lock: string;
  readonly #server: Server;

  private constructor(path: string, lock: string, server: Server) {
    this.#path = path;
    this.#lock = lock;
    this.#server = server;
  }

  static async on(lock: string): Promise<Claim> {
    const path = claimed(lock, randomInt(CLAIMS));
    const early = path.replace(/~(\w+)$/, '-$1');
    // Under its own name only once it listens: who finds that nobody listens there knows that its process is gone.
    const server = await listening(early, (socket) => void socket.destroy());
    renameSync(early, path);
    return new Claim(path, lock, server);
  }

  async isAlone(): Promise<boolean> {
    const folder = dirname(this.#lock);
    const prefix = `${basename(this.#lock)}~`;
    for (const name of readdirSync(folder)) {
      const other = join(folder, name);
      if (!name.startsWith(prefix) || !CLAIM.test(name.slice(prefix.length)) || name === basename(this.#path)) continue;
      if (await isHeld(other)) return false;
      rmSync(other, { force: true });
    }
    return true;
  }

  giveUp(): void {
    rmSync(this.#path, { force: true });
    this.#server.close();
  }
}

function claimed(lock: string, number: number): string {
  return `${lock}~${number.toString(36).padStart(6, '0')}`;
}

function listening(path: string, answer: (socket: Socket) => void): Promise<Server> {
  const server = createServer(answer);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? new FolderInUse() : error));
    // A worker of `node:cluster` would else get the socket of its primary, and so would all others that began at the same time.
    server.listen({ path, exclusive: true }, () => resolve(server));
  });
}

function isHeld(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (ABANDONED.includes(error.code ?? '')) resolve(false);
      else if (error.code === LEAVING) resolve(true);
      // Any other failure, a full backlog say, does not prove that nobody listens.
      else reject(error);
    });
  });
}
