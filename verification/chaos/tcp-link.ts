import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** `cut`: nothing passes. `mute`: what the far side says does not pass. What is held up passes when the link is whole again. */
export type TcpLinkState = 'whole' | 'cut' | 'mute';

interface Connection {
  readonly near: Socket;
  /** Undefined until the far side was dialled: not while the link is broken. */
  far: Socket | undefined;
}

/**
 * The network between a proposer (near) and an acceptor (far), as a relay on 127.0.0.1. A broken link loses no byte of a connection, as TCP
 * does not either: it delays them, so that requests of a proposer that gave up long ago arrive at the end of a cut.
 */
export class TcpLink {
  readonly #farPort: number;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #state: TcpLinkState = 'whole';

  private constructor(farPort: number) {
    this.#farPort = farPort;
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (near) => this.#take(near));
  }

  /** Listens on a free port of 127.0.0.1. @param farPort where the acceptor listens */
  static async open(farPort: number): Promise<TcpLink> {
    const link = new TcpLink(farPort);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  set(state: TcpLinkState): void {
    this.#state = state;
    for (const connection of this.#connections) this.#apply(connection);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { near, far } of this.#connections) {
      near.destroy();
      far?.destroy();
    }
    await closed;
  }

  #take(near: Socket): void {
    const connection: Connection = { near, far: undefined };
    this.#connections.add(connection);
    near.on('error', () => undefined);
    near.on('close', () => {
      this.#connections.delete(connection);
      connection.far?.destroy();
    });
    this.#apply(connection);
  }

  #apply(connection: Connection): void {
    const { near } = connection;
    // The handshake needs both directions.
    if (connection.far === undefined && this.#state === 'whole') connection.far = this.#dial(near);
    const { far } = connection;
    if (far === undefined) return;
    if (this.#state === 'cut') hold(near, far);
    else pass(near, far);
    if (this.#state === 'whole') pass(far, near);
    else hold(far, near);
  }

  #dial(near: Socket): Socket {
    const far = connect({ port: this.#farPort, host: '127.0.0.1', allowHalfOpen: true });
    far.on('error', () => undefined);
    far.on('close', () => near.destroy());
    return far;
  }
}

function pass(from: Socket, to: Socket): void {
  // Twice would send everything twice.
  from.unpipe(to);
  from.pipe(to);
}

function hold(from: Socket, to: Socket): void {
  from.unpipe(to);
  from.pause();
}
