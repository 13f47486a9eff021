import type { Command } from 'ioredis';

/** All that ioredis asks of a command that it sends, and whose answer it hands on. */
type IoredisCommand = Pick<
  Command,
  'name' | 'args' | 'isTraced' | 'isSettled' | 'promise' | 'resolve' | 'reject' | 'toWritable' | 'setReplyContext' | 'setTimeout'
>;

/** What becomes of a command between its sending and its answer. */
export interface CommandOwner {
  /** It is about to be sent; without an answer it is to be rejected after so long. */
  watch(command: RedisCommand, timeoutMs: number): void;
  /** It has its answer. */
  forget(command: RedisCommand): void;
}

/**
 * A command that ioredis sends as one of its own, for what proposers send all the time: making one of ioredis' commands, with a timer of its own,
 * takes as long as all else that is done for a message to an acceptor.
 */
export abstract class RedisCommand implements IoredisCommand {
  readonly name: string;
  readonly args: string[];
  readonly promise: Promise<unknown>;
  /** It is not to be traced. */
  readonly isTraced = true;
  isSettled = false;
  /** When it is late, by the clock of `performance`. */
  dueMs = 0;
  readonly #owner: CommandOwner;
  #resolve!: (answer: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(owner: CommandOwner, name: string, args: string[]) {
    this.#owner = owner;
    this.name = name;
    this.args = args;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Called when ioredis writes it. */
  abstract toWritable(stream: object): string;

  setReplyContext(): void {
    // Only what RESP 2 answers is read here.
  }

  /** Called before ioredis writes it. */
  setTimeout(timeoutMs: number): void {
    this.#owner.watch(this, timeoutMs);
  }

  resolve(answer: unknown): void {
    this.isSettled = true;
    this.#owner.forget(this);
    this.#resolve(textsIn(answer));
  }

  reject(error: Error): void {
    this.isSettled = true;
    this.#owner.forget(this);
    this.#reject(error);
  }
}

/** Any command that Redis knows. */
export class PlainCommand extends RedisCommand {
  toWritable(): string {
    return `*${this.args.length + 1}\r\n${bulks([this.name])}${bulks(this.args)}`;
  }
}

/** Texts as Redis reads them, each with its length before it. */
export function bulks(texts: readonly string[]): string {
  let all = '';
  for (const text of texts) all += `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
  return all;
}

/** ioredis hands on bytes. */
function textsIn(answer: unknown): unknown {
  if (Buffer.isBuffer(answer)) return answer.toString();
  return Array.isArray(answer) ? answer.map(textsIn) : answer;
}
