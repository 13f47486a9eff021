import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../redis-server.js';

/** What a command is answered with, as it goes over the wire; undefined: nothing, ever. */
export type Answers = (command: string, connection: Socket) => string | undefined;

/** What a Redis says of itself that is fit to be an acceptor. */
const READY = [
  'redis_version:7.0.15\r\nloading:0\r\naof_enabled:1\r\naof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0\r\naof_last_bgrewrite_status:ok\r\n',
  `maxmemory:0\r\nevicted_keys:0\r\nrole:master\r\nconnected_slaves:0\r\nmaster_replid2:${'0'.repeat(40)}\r\n`,
].join('');
const SETTINGS = { appendfsync: 'always', 'no-appendfsync-on-rewrite': 'no', 'io-threads': '1' };
export const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

/** As much of a Redis as a client needs to connect. It notes what it is asked. */
export class FakeRedis {
  /** By connection, the commands in lower case with their arguments. */
  readonly asked: string[][] = [];
  /** May be changed at any time. Undefined: as a Redis that is ready. */
  answers: Answers;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(answers: Answers) {
    this.answers = answers;
    this.#server = createServer((socket) => {
      const commands: string[] = [];
      this.asked.push(commands);
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('data', (chunk) => {
        for (const command of commandsIn(chunk.toString('latin1'))) {
          commands.push(command);
          const answer = this.answers(command, socket) ?? '';
          if (!socket.destroyed) socket.write(answer);
        }
      });
    });
  }

  static async start(answers: Answers): Promise<FakeRedis> {
    const fake = new FakeRedis(answers);
    const port = await freePort();
    await new Promise<void>((resolve) => fake.#server.listen(port, '127.0.0.1', resolve));
    return fake;
  }

  get address(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || !address) throw new Error('this server does not listen');
    return `127.0.0.1:${address.port}`;
  }

  /** All connections end. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  stop(): Promise<void> {
    this.hangUp();
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }
}

/** A Redis that is ready, and has this identity; null: none; undefined: it never says. */
export function answering(identity: string | null | undefined): Answers {
  return (command) => {
    if (command.startsWith('hello')) return "-ERR unknown command 'HELLO'\r\n";
    if (command.startsWith('info')) return bulk(READY);
    if (command.startsWith('config get')) return `*6\r\n${Object.entries(SETTINGS).flat().map(bulk).join('')}`;
    const [, meant] = GREETING.exec(command) ?? [];
    if (meant === undefined || identity === undefined) return undefined;
    return meant === identity ? `*2\r\n${bulk('ok')}${bulk('0')}` : `*2\r\n${bulk('stranger')}${bulk(identity ?? '')}`;
  };
}

/** How a greeting arrives, over a new connection with the text of its script; with the identity that is meant. */
export const GREETING = /^eval[^]* 5 identity beats eras r:\S* identity:floor (\S+) [^]*(?:look|count)$/;

/** The commands in a piece of the protocol. They are short here: none is spread over two pieces. */
function commandsIn(text: string): string[] {
  const commands = text.split(/(?:^|\r\n)\*\d+\r\n/).filter((part) => part !== '');
  return commands.map((command) =>
    command
      .split('\r\n')
      .filter((line) => line !== '' && !line.startsWith('$'))
      .join(' ')
      .toLowerCase(),
  );
}
