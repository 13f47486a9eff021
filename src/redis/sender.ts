import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Command, Redis } from 'ioredis';
import { bulks, type CommandOwner, PlainCommand, RedisCommand } from './command.js';

const LINE_END = '\r\n';

/** A script that is sent often: its text goes over each connection once, then its hash. */
export class Script {
  readonly numberOfKeys: number;
  readonly #inFull: string;
  readonly #byHash: string;
  /** The connections over which its text was sent. */
  readonly #knowing = new WeakSet<object>();

  constructor(lua: string, numberOfKeys: number) {
    this.numberOfKeys = numberOfKeys;
    this.#inFull = bulks(['eval', lua, String(numberOfKeys)]);
    this.#byHash = bulks(['evalsha', createHash('sha1').update(lua).digest('hex'), String(numberOfKeys)]);
  }

  /** The command that runs it over this connection. */
  textFor(stream: object, keysAndArguments: readonly string[]): string {
    const head = this.#knowing.has(stream) ? this.#byHash : this.#inFull;
    this.#knowing.add(stream);
    return `*${keysAndArguments.length + 3}\r\n${head}${bulks(keysAndArguments)}`;
  }

  /**
   * The commands that run it as often as there are lists of keys and arguments, after each other: only the first one has its text. Put together at once:
   * what is added to a text bit by bit are as many objects.
   */
  textForAll(calls: readonly (readonly string[])[]): string {
    const lines: string[] = [];
    const byHash = this.#byHash.slice(0, -LINE_END.length);
    let script = this.#inFull.slice(0, -LINE_END.length);
    for (const call of calls) {
      lines.push(`*${call.length + 3}`, script);
      for (const text of call) lines.push(`$${Buffer.byteLength(text)}`, text);
      script = byHash;
    }
    return lines.join(LINE_END) + LINE_END;
  }

  /** The server at the other end does not have it any more. */
  forgottenBy(stream: object): void {
    this.#knowing.delete(stream);
  }
}

class ScriptCommand extends RedisCommand {
  readonly #script: Script;
  readonly #again: (command: RedisCommand) => void;
  #stream: object | undefined;
  #wasRepeated = false;

  constructor(owner: CommandOwner, script: Script, keysAndArguments: string[], again: (command: RedisCommand) => void) {
    super(owner, 'evalsha', keysAndArguments);
    this.#script = script;
    this.#again = again;
  }

  toWritable(stream: object): string {
    this.#stream = stream;
    return this.#script.textFor(stream, this.args);
  }

  /** A server that was told to forget its scripts ran nothing: it gets the text, unless nobody waits for it any more. */
  override reject(error: Error): void {
    if (this.isSettled || this.#wasRepeated || !this.#stream || !error.message.startsWith('NOSCRIPT')) {
      super.reject(error);
      return;
    }
    this.#wasRepeated = true;
    this.#script.forgottenBy(this.#stream);
    this.#again(this);
  }
}

/** Where ioredis writes what was written with the first command: a write of nothing to the socket costs as much as one of something. */
const NOWHERE = { write: (): boolean => true } as unknown as Socket;

/** A script that is run many times, in one write. For ioredis it is as many commands, which have one object and one promise between them. */
class RepeatedCommand extends RedisCommand {
  readonly #count: number;
  readonly #answers: unknown[] = [];
  #text: string;

  constructor(owner: CommandOwner, script: Script, calls: readonly (readonly string[])[]) {
    super(owner, 'evalsha', []);
    this.#count = calls.length;
    this.#text = script.textForAll(calls);
  }

  toWritable(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  override resolve(answer: unknown): void {
    if (this.isSettled) return;
    this.#answers.push(answer);
    if (this.#answers.length === this.#count) super.resolve(this.#answers);
  }
}

/** Sends commands over a connection, with one timer for the time-outs of all of them. */
export class Sender implements CommandOwner {
  readonly #redis: Redis;
  /** What has no answer yet, in the order in which it is late. */
  readonly #waiting = new Set<RedisCommand>();
  #timer: NodeJS.Timeout | undefined;

  /** @param redis its `commandTimeout` counts */
  constructor(redis: Redis) {
    this.#redis = redis;
  }

  send<Answer>(name: string, ...args: string[]): Promise<Answer> {
    const command = new PlainCommand(this, name, args);
    this.#write(command);
    return command.promise as Promise<Answer>;
  }

  run<Answer>(script: Script, keysAndArguments: string[]): Promise<Answer> {
    const command = new ScriptCommand(this, script, keysAndArguments, (again) => this.#write(again));
    this.#write(command);
    return command.promise as Promise<Answer>;
  }

  /** Runs a script many times over, cheaper than {@link run}. @returns the answers in their order; rejects with the first error */
  async runAll<Answer>(script: Script, calls: readonly (readonly string[])[]): Promise<Answer[]> {
    if (calls.length === 0) return [];
    this.gather();
    const command = new RepeatedCommand(this, script, calls);
    this.#write(command);
    for (let sent = 1; sent < calls.length && !command.isSettled; sent += 1) this.#write(command, NOWHERE);
    return (await command.promise) as Answer[];
  }

  /** All commands of one turn of the event loop leave in one write: Redis runs them together, and syncs its disk once for all of them. */
  gather(): void {
    const { stream } = this.#redis;
    if (stream.writableCorked > 0) return;
    stream.cork();
    setImmediate(() => stream.uncork());
  }

  watch(command: RedisCommand, timeoutMs: number): void {
    command.dueMs = performance.now() + timeoutMs;
    this.#waiting.add(command);
    if (this.#timer === undefined) this.#lookIn(timeoutMs);
  }

  forget(command: RedisCommand): void {
    this.#waiting.delete(command);
  }

  /** ioredis' own type has private members, which it does not look at from outside. */
  #write(command: RedisCommand, stream?: Socket): void {
    void this.#redis.sendCommand(command as unknown as Command, stream);
  }

  /** An open connection keeps the process alive, this does not. As with `systemTime`, what has come is read first. */
  #lookIn(delayMs: number): void {
    this.#timer = setTimeout(() => setImmediate(() => this.#look()), delayMs).unref();
  }

  #look(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    for (const command of this.#waiting) {
      if (command.dueMs > nowMs) {
        this.#lookIn(Math.ceil(command.dueMs - nowMs));
        return;
      }
      command.reject(new Error(COMMAND_TIMED_OUT));
    }
  }
}

/** As ioredis says it of its own commands. */
export const COMMAND_TIMED_OUT = 'Command timed out';
