import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';

const CONFIGURATION = fileURLToPath(new URL('../acceptor/redis.conf', import.meta.url));
const HOST = '127.0.0.1';
/** Below the range that the system gives to outgoing connections: a client that knocks on a dead port cannot take it. */
const [LOWEST_PORT, HIGHEST_PORT] = [20_000, 32_000];
/**
 * Each process that runs tests beside others has ports of its own, and takes one after the other: one that is chosen, and not listened on yet or for
 * a moment, is nobody else's. The first ones are those of the end-to-end tests, which run beside the others as a whole: in Docker, and as
 * local processes.
 */
const PORTS_OF_A_PROCESS = 1_500;
const SHARES = (HIGHEST_PORT - LOWEST_PORT) / PORTS_OF_A_PROCESS;
const END_TO_END = ['docker', 'local'] as const;
const OWN_SHARE = END_TO_END.length + (Number(process.env['VITEST_POOL_ID'] ?? 0) % (SHARES - END_TO_END.length));
let nextPort = Math.floor(Math.random() * PORTS_OF_A_PROCESS);
/** The machine may be busy. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 10;
/** How much of its output a server that would not start is quoted with, in characters. */
const OUTPUT_TAIL = 2_000;

/** A port that nobody listens on at the moment. @param whose that of the end-to-end tests of this kind, or else this process's */
export async function freePort(whose?: (typeof END_TO_END)[number]): Promise<number> {
  const share = whose === undefined ? OWN_SHARE : END_TO_END.indexOf(whose);
  for (;;) {
    const port = LOWEST_PORT + share * PORTS_OF_A_PROCESS + (nextPort++ % PORTS_OF_A_PROCESS);
    if (await isFree(port)) return port;
  }
}

/** Whether nobody listens on a port at the moment. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

/** One acceptor as the cluster runs it: redis-server with acceptor/redis.conf, in a folder and on a port of its own. Ends it by its pid only. */
export class RedisServer {
  readonly port: number;
  /** Where its append-only file is. */
  readonly directory: string;
  #process: ChildProcess | undefined;
  #output = '';
  readonly #dieWithUs = (): void => void this.#process?.kill('SIGKILL');

  private constructor(port: number, directory: string) {
    this.port = port;
    this.directory = directory;
  }

  /** Starts a new, empty server and waits until it answers. @param args go after the configuration file: `['--appendfsync', 'no']` */
  static async start(args: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'acceptor-')));
    process.on('exit', server.#dieWithUs);
    try {
      await server.start(args);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get address(): string {
    return `${HOST}:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts it again on the same port with the same data. @param until `loading`: as soon as it listens, though it still reads its file */
  async start(args: readonly string[] = [], until: 'ready' | 'loading' = 'ready'): Promise<void> {
    if (this.#process) throw new Error('this server runs already');
    const here = ['--bind', HOST, '--port', String(this.port), '--dir', this.directory];
    const child = spawn(process.env['REDIS_SERVER'] ?? 'redis-server', [CONFIGURATION, ...here, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    this.#output = '';
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_TAIL);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    let failure: Error | undefined;
    child.once('error', (error) => (failure = error));
    child.once('exit', (code, signal) => {
      failure ??= new Error(`redis-server ended with ${code ?? signal ?? 'no code'}:\n${this.#output}`);
      if (this.#process === child) this.#process = undefined;
    });
    const giveUpAt = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      if (failure) throw failure;
      const answer = await this.#ping();
      if (/^(\+PONG|-NOAUTH)/.test(answer) || (until === 'loading' && answer.startsWith('-LOADING'))) return;
      if (Date.now() > giveUpAt) throw new Error(`redis-server did not answer PING in ${START_TIMEOUT_MS} ms:\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Ends it for good, and removes its data. */
  async stop(): Promise<void> {
    this.resume();
    await this.#end('SIGTERM');
    process.off('exit', this.#dieWithUs);
    await rm(this.directory, { recursive: true, force: true });
  }

  /** On a connection of its own. */
  async ask<Result>(question: (redis: Redis) => Promise<Result>): Promise<Result> {
    const redis = new Redis(this.port, HOST);
    try {
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** SIGKILL. The data stays for the next {@link start}. */
  kill9(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** SIGSTOP: its connections stay open, and nothing is answered. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const impatient = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(impatient);
  }

  /** The first bytes of the answer; "" where there is none. */
  #ping(): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(this.port, HOST, () => socket.write('PING\r\n'));
      const finish = (answer: string): void => {
        socket.destroy();
        resolve(answer);
      };
      socket.setTimeout(POLL_MS * 50, () => finish(''));
      socket.once('error', () => finish(''));
      socket.once('data', (chunk) => finish(chunk.toString()));
      socket.once('close', () => finish(''));
    });
  }
}
