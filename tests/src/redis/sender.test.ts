import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RedisCommand } from '../../../src/redis/command.js';
import { COMMAND_TIMED_OUT, Script, Sender } from '../../../src/redis/sender.js';

const TIMEOUT_MS = 300;
const CONNECTION = {};

/** Does with a command what ioredis does when it sends it; the answers are given by hand. */
class SendingRedis {
  readonly sent: RedisCommand[] = [];
  readonly written: string[] = [];
  readonly stream = { writableCorked: 1 };

  sendCommand(command: RedisCommand, stream: { write: (text: string) => unknown } = { write: (text) => this.written.push(text) }): void {
    command.setReplyContext();
    command.setTimeout(TIMEOUT_MS);
    stream.write(command.toWritable(CONNECTION));
    this.sent.push(command);
  }

  sender(): Sender {
    return new Sender(this as unknown as Redis);
  }
}

/** How a call has ended, if it has. */
function endOf(call: Promise<unknown>): { readonly now: () => unknown } {
  let end: unknown = 'open';
  call.then(
    (answer) => (end = answer),
    (error: unknown) => (end = error instanceof Error ? error.message : error),
  );
  return { now: () => end };
}

const noScript = (): Error => new Error('NOSCRIPT No matching script. Please use EVAL.');

let redis: SendingRedis;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  redis = new SendingRedis();
});
afterEach(() => vi.useRealTimers());

describe('commands that are sent over one connection', () => {
  it('are written as Redis reads them, with lengths in bytes', () => {
    void redis.sender().send('hmget', 'r:ключ', 'value');
    expect(redis.written).toEqual(['*3\r\n$5\r\nhmget\r\n$10\r\nr:ключ\r\n$5\r\nvalue\r\n']);
  });

  it('get texts, nothing, and lists of these', async () => {
    const call = redis.sender().send('hmget', 'r:k');
    redis.sent[0]?.resolve([Buffer.from('ключ'), null, [Buffer.from('v')], 7]);
    expect(await call).toEqual(['ключ', null, ['v'], 7]);
  });

  it('are late each by its own time, under one timer', async () => {
    const sender = redis.sender();
    const first = endOf(sender.send('get', 'first'));
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS / 2);
    const [answered, second] = [endOf(sender.send('get', 'answered')), endOf(sender.send('get', 'second'))];
    redis.sent[1]?.resolve(Buffer.from('v'));
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS / 2);
    expect([first.now(), answered.now(), second.now()]).toEqual([COMMAND_TIMED_OUT, 'v', 'open']);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS / 2);
    expect(second.now()).toBe(COMMAND_TIMED_OUT);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a script', () => {
  const script = new Script('return KEYS[1]', 1);
  const [inFull, byHash] = [
    /^\*4\r\n\$4\r\neval\r\n\$14\r\nreturn KEYS\[1\]\r\n\$1\r\n1\r\n/,
    /^\*4\r\n\$7\r\nevalsha\r\n\$40\r\n[0-9a-f]{40}\r\n/,
  ];

  it('goes in full once over a connection, and again where it is unknown', async () => {
    const sender = redis.sender();
    const call = endOf(sender.run(script, ['first']));
    void sender.run(script, ['second']);
    expect(redis.written).toEqual([expect.stringMatching(inFull), expect.stringMatching(byHash)]);
    redis.sent[0]?.reject(noScript());
    expect(redis.written[2]).toMatch(inFull);
    redis.sent[0]?.resolve(Buffer.from('first'));
    await vi.advanceTimersByTimeAsync(0);
    expect(call.now()).toBe('first');
  });

  it('is not sent a third time', async () => {
    const call = endOf(redis.sender().run(script, ['k']));
    for (const error of [noScript(), noScript()]) redis.sent[0]?.reject(error);
    await vi.advanceTimersByTimeAsync(0);
    expect(redis.written).toHaveLength(2);
    expect(call.now()).toMatch(/^NOSCRIPT/);
  });

  it('is not sent again once nobody waits for it: what it would do was given up', async () => {
    const call = endOf(redis.sender().run(script, ['k']));
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
    redis.sent[0]?.reject(noScript());
    expect(call.now()).toBe(COMMAND_TIMED_OUT);
    expect(redis.written).toHaveLength(1);
  });
});

describe('a script that is run many times at once', () => {
  const script = new Script('return KEYS[1]', 1);
  const calls = [['one'], ['two'], ['ключ']];

  it('goes in full first, by its hash then, in one text, and each run has its answer', async () => {
    const call = redis.sender().runAll(script, calls);
    const sha = /\$40\r\n([0-9a-f]{40})/.exec(redis.written.join(''))?.[1] ?? '';
    const byHash = (key: string): string => `*4\r\n$7\r\nevalsha\r\n$40\r\n${sha}\r\n$1\r\n1\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n`;
    const inFull = '*4\r\n$4\r\neval\r\n$14\r\nreturn KEYS[1]\r\n$1\r\n1\r\n$3\r\none\r\n';
    expect(redis.written).toEqual([`${inFull}${byHash('two')}${byHash('ключ')}`]);
    for (const answer of [Buffer.from('1'), 2, Buffer.from('ключ')]) redis.sent.shift()?.resolve(answer);
    expect(await call).toEqual(['1', 2, 'ключ']);
  });

  it('fails with the first error, whatever is answered after it', async () => {
    const call = endOf(redis.sender().runAll(script, calls));
    redis.sent[0]?.resolve(Buffer.from('one'));
    redis.sent[1]?.reject(new Error('OOM command not allowed'));
    redis.sent[2]?.resolve(Buffer.from('three'));
    await vi.advanceTimersByTimeAsync(0);
    expect(call.now()).toBe('OOM command not allowed');
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is late as a whole, and asks for nothing where there is nothing to run', async () => {
    const call = endOf(redis.sender().runAll(script, calls));
    redis.sent[0]?.resolve(Buffer.from('one'));
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
    expect(call.now()).toBe(COMMAND_TIMED_OUT);
    expect(await redis.sender().runAll(script, [])).toEqual([]);
  });
});
