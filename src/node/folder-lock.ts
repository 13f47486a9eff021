import { renameSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than another process takes from finding a dead lock to replacing it. */
const SETTLE_MS = 50;

/** No socket there, or one that nobody listens on any more. */
const ABANDONED = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'];

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
 * @param path of the socket; at most about 100 bytes, so preferably relative to the working folder
 * @param answer is given each connection to the socket, that of a process which only looks whether it is held among them
 * @throws FolderInUse if another process holds it; an error of the system if no socket can be made there
 */
export async function lockFolder(path: string, answer = (socket: Socket): void => void socket.destroy()): Promise<Server> {
  if (await isHeld(path)) throw new FolderInUse();
  await removeAbandoned(path);
  const server = createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? new FolderInUse() : error));
    server.listen(path, resolve);
  });
  const { ino } = statSync(path);
  await sleep(SETTLE_MS);
  const present = statSync(path, { throwIfNoEntry: false });
  if (present?.ino === ino) return server;
  closeBeside(path, server, present !== undefined);
  throw new FolderInUse('another process took this state folder at the same time');
}

/** The end of a server, and of its process too, removes whatever lies at its path by then: that of the other one is put aside meanwhile. */
function closeBeside(path: string, server: Server, isTaken: boolean): void {
  const aside = `${path}.${process.pid}`;
  if (isTaken) renameSync(path, aside);
  server.close();
  if (isTaken) renameSync(aside, path);
}

/** Looks again at what is put aside: between the two looks another process may have taken the place of a dead one. */
async function removeAbandoned(path: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (await isHeld(aside)) {
    renameSync(aside, path);
    throw new FolderInUse();
  }
  rmSync(aside);
}

function isHeld(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Any other failure, a full backlog say, does not prove that nobody listens.
    socket.once('error', (error: NodeJS.ErrnoException) => (ABANDONED.includes(error.code ?? '') ? resolve(false) : reject(error)));
  });
}
