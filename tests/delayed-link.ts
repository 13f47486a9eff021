import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './redis-server.js';

const HOST = '127.0.0.1';

/** A way to a server on which every answer takes longer, as if its disk were slow. */
export class DelayedLink {
  delayMs = 0;
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, target: number) {
    this.address = `${HOST}:${port}`;
    this.#server = createServer((near) => {
      const far = connect(target, HOST);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far);
      far.on('data', (chunk) => setTimeout(() => near.destroyed || near.write(chunk), this.delayMs));
    });
  }

  static async to(target: number): Promise<DelayedLink> {
    const port = await freePort();
    const link = new DelayedLink(port, target);
    await new Promise<void>((resolve) => link.#server.listen(port, HOST, resolve));
    return link;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
