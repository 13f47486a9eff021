import { randomInt } from 'node:crypto';
import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join, relative, resolve } from 'node:path';
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

/** The socket that keeps others out of a folder. */
export class FolderLock {
  readonly #server: Server;
  /** Absolute: the process may change its working folder. */
  readonly #path: string;
  readonly #file: string | undefined;

  constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
    this.#file = fileAt(path);
  }

  /** Whether its socket still is where it was made. Not so if the folder was moved: what lies there now may be another process's. */
  get isInPlace(): boolean {
    return this.#file !== undefined && this.#file === fileAt(this.#path);
  }

  /** Lets others have the folder, at once. Resolves when each connection to the socket is at its end. */
  close(): Promise<void> {
    if (this.isInPlace) rmSync(this.#path, { force: true });
    return new Promise((done) => {
      this.#server.close(() => done());
    });
  }

  /** The process may end while it holds the lock. */
  unref(): void {
    this.#server.unref();
  }
}

/** Which file that is, by device and number; undefined if there is none. */
function fileAt(path: string): string | undefined {
  const file = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return file && `${file.dev}:${file.ino}`;
}

/**
 * Keeps a second process out of a folder: a socket in it that somebody listens on. It goes with the process however that ends, which a
 * file with a process number does not, and reaches across containers that share the volume.
 *
 * The socket of a process that died is removed by the next one, which must not remove that of a third one instead: so only who has a claim,
 * which one process at a time has, touches the socket.
 *
 * @param path of the socket; at most 96 bytes long, from the root or from the working folder
 * @param answer is given each connection to the socket, that of a process which only looks whether it is held among them
 * @throws FolderInUse if another process holds it; an error of the system if no socket can be made there
 */
export async function lockFolder(path: string, answer = (socket: Socket): void => void socket.destroy()): Promise<FolderLock> {
  const lock = resolve(path);
  const spare = SOCKET_BYTES_MAX - Buffer.byteLength(socketPath(claimed(lock, 0)));
  if (spare < 0)
    throw new Error(`${lock} is ${-spare} bytes too long for a socket: begin nearer to the folder, or let its path be shorter`);
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const claim = await Claim.on(lock);
    try {
      if (await claim.isAlone()) {
        if (await isHeld(lock)) throw new FolderInUse();
        return claim.take(answer);
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
  #isTaken = false;

  private constructor(path: string, lock: string, server: Server) {
    this.#path = path;
    this.#lock = lock;
    this.#server = server;
  }

  static async on(lock: string): Promise<Claim> {
    const path = claimed(lock, randomInt(CLAIMS));
    const early = path.replace(/~(\w+)$/, '-$1');
    // Under its own name only once it listens: who finds that nobody listens there knows that its process is gone.
    const server = await listening(early);
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

  /**
   * Makes it the lock, in place of one that nobody listens on. When a server ends, Node.js removes whatever lies at the path on which it began to
   * listen, be it another process's; that is the first name of the claim, which nobody else ever has.
   */
  take(answer: (socket: Socket) => void): FolderLock {
    this.#server.removeAllListeners('connection').on('connection', answer);
    renameSync(this.#path, this.#lock);
    this.#isTaken = true;
    return new FolderLock(this.#server, this.#lock);
  }

  giveUp(): void {
    if (this.#isTaken) return;
    rmSync(this.#path, { force: true });
    this.#server.close();
  }
}

function claimed(lock: string, number: number): string {
  return `${lock}~${number.toString(36).padStart(6, '0')}`;
}

/** As the kernel is told it: it takes about 100 bytes, so the shorter one of the way from the root and that from the working folder. */
export function socketPath(path: string): string {
  const way = relative(process.cwd(), path);
  return way.length < path.length ? way : path;
}

function listening(path: string): Promise<Server> {
  const server = createServer((socket) => void socket.destroy());
  const way = socketPath(path);
  return new Promise((done, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      error.message = error.message.replace(way, path);
      reject(error.code === 'EADDRINUSE' ? new FolderInUse() : error);
    });
    // A worker of `node:cluster` would else get the socket of its primary, and so would all others that began at the same time.
    server.listen({ path: way, exclusive: true }, () => done(server));
  });
}

function isHeld(path: string): Promise<boolean> {
  return new Promise((done, reject) => {
    const socket = connect(socketPath(path));
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (ABANDONED.includes(error.code ?? '')) done(false);
      else if (error.code === LEAVING) done(true);
      // Any other failure, a full backlog say, does not prove that nobody listens.
      else reject(error);
    });
  });
}
