import { connect, createServer, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';
/** A timer may be late by as much: the rest of the time is waited for turn by turn. */
const TIMER_MS = 1.5;

/** A way to a server that is as long as one to another region: all that is sent arrives later, in order, and nothing is lost. */
export class DelayedLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number, delayMs: number) {
    this.#server = createServer((near) => {
      const far = connect(target, HOST);
      for (const socket of [near, far]) {
        this.#sockets.add(socket.setNoDelay());
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      delay(near, far, delayMs);
      delay(far, near, delayMs);
    });
  }

  /** @param port that it listens on @param target the port of the server @param delayMs each way */
  static async open(port: number, target: number, delayMs: number): Promise<DelayedLink> {
    const link = new DelayedLink(target, delayMs);
    await new Promise<void>((resolve, reject) => link.#server.once('error', reject).listen(port, HOST, resolve));
    return link;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

function delay(from: Socket, to: Socket, delayMs: number): void {
  const underWay: { readonly dueMs: number; readonly chunk: Buffer }[] = [];
  const deliver = (): void => {
    while (underWay[0] && underWay[0].dueMs <= performance.now()) {
      if (!to.destroyed) to.write(underWay[0].chunk);
      underWay.shift();
    }
    const restMs = (underWay[0]?.dueMs ?? NaN) - performance.now();
    if (restMs > TIMER_MS) setTimeout(deliver, restMs - TIMER_MS);
    else if (underWay.length > 0) setImmediate(deliver);
  };
  from.on('data', (chunk) => {
    underWay.push({ dueMs: performance.now() + delayMs, chunk });
    if (underWay.length === 1) deliver();
  });
}
