import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type FolderLock, lockFolder, socketPath } from '../../src/node/folder-lock.js';

/** A command waits no longer: the service may be paused. Whatever it does later, it finds eras that are not those that it read. */
const GIVE_WAY_MS = 5_000;

const GO_ON = '.';

const SOCKET = 'turn';

/**
 * Takes the turn for a command that changes something: the service of this control node, where it collects by itself, gives way to it. Eras keep a
 * command and a collection from doing harm to each other in any case; without this the one that comes second would be refused, a long rescan at its end.
 *
 * @param folder that the commands and the service share
 * @returns gives the turn back; the end of the process does so, too
 */
export function takeTurn(folder: string): Promise<() => void> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(join(folder, SOCKET)));
    const goOn = (): void => resolve(() => void socket.destroy());
    // The commonest case is an error: no service collects by itself, and there is no such socket.
    socket.on('error', goOn);
    socket.once('data', goOn);
    socket.once('close', goOn);
    socket.setTimeout(GIVE_WAY_MS, goOn);
  });
}

/** The turns that commands have taken, as the service sees them. */
export class Turns {
  readonly #taken = new Set<Socket>();
  readonly #giveWay: () => Promise<void>;

  /** @param giveWay is called when a command takes a turn, and resolves when nothing is collected any more */
  constructor(giveWay: () => Promise<void>) {
    this.#giveWay = giveWay;
  }

  get isTaken(): boolean {
    return this.#taken.size > 0;
  }

  /** @throws if it cannot listen in the folder, or another service does */
  listen(folder: string): Promise<FolderLock> {
    return lockFolder(join(folder, SOCKET), (socket) => {
      this.#taken.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#taken.delete(socket));
      void this.#giveWay().then(() => socket.write(GO_ON));
    });
  }
}
