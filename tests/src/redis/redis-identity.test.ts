import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisAcceptor } from '../../../src/redis/redis-acceptor.js';
import { answering, type Answers, FakeRedis, GREETING } from '../fake-redis.js';
import { becomes, closeAll, HANG_MS, ME, meaning, messages, refusesAll, TIMEOUT_MS, type Watched } from '../meant-acceptor.js';

/** Attempts in a second, at the pause that a Redis gets which does not say who it is, and some more for a busy machine. */
const ATTEMPTS_MAX = 10;
afterEach(closeAll);

async function fake(answers: Answers): Promise<FakeRedis> {
  const redis = await FakeRedis.start(answers);
  onTestFinished(() => redis.stop());
  return redis;
}

describe('at each connect', () => {
  const ours = (redis: FakeRedis): string[][] =>
    redis.asked.map((all) =>
      all.filter((command) => !/^(hello|info|config get)/.test(command)).map((command) => command.replace(GREETING, 'greet')),
    );

  it('nothing is sent before it is known who answers', async () => {
    const redis = await fake(answering(undefined));
    const { acceptor, states } = meaning(ME, redis.address);
    for (let connection = 1; connection <= 2; connection += 1) {
      redis.answers = answering(undefined);
      await vi.waitFor(() => expect(ours(redis).at(-1)).toEqual(['greet']), { timeout: HANG_MS, interval: 1 });
      for (const [, send] of messages) await expect(send(acceptor, 'k')).rejects.toThrow(/not connected/);
      redis.answers = answering(ME);
      await becomes(acceptor, 'ready');
      void acceptor.read('k').catch(() => undefined);
      await vi.waitFor(() => expect(ours(redis).at(-1)).toEqual(['greet', 'hmget r:k promise ballot value']), { timeout: HANG_MS });
      redis.hangUp();
      await becomes(acceptor, 'unreachable');
    }
    expect(states).toEqual(['ready', 'unreachable', 'ready', 'unreachable']);
    expect(new Set(ours(redis).map(([first]) => first))).toEqual(new Set(['greet']));
  });

  it('of an acceptor without an identity nothing is asked', async () => {
    const redis = await fake(answering(null));
    const { acceptor } = meaning(undefined, redis.address);
    await becomes(acceptor, 'ready');
    void acceptor.read('k').catch(() => undefined);
    await vi.waitFor(() => expect(ours(redis)).toEqual([['hmget r:k promise ballot value']]), HANG_MS);
  });

  it('and every so often after that it is greeted once, however often it was greeted besides', async () => {
    const redis = await fake(answering(ME));
    const greetEveryMs = 100;
    const acceptor = new RedisAcceptor({ address: redis.address, identity: ME, timeoutMs: HANG_MS, greetEveryMs });
    onTestFinished(() => acceptor.close());
    await vi.waitFor(() => expect(acceptor.state).toBe('ready'), HANG_MS);
    const greetings = (): number =>
      ours(redis)
        .flat()
        .filter((command) => command === 'greet').length;
    for (let time = 0; time < 20; time += 1) {
      const soFar = greetings();
      acceptor.greetNow();
      await vi.waitFor(() => expect(greetings()).toBeGreaterThan(soFar), { timeout: HANG_MS, interval: 1 });
      // The answer is heard, and the next one is set.
      await sleep(5);
    }
    const [before, begunMs] = [greetings(), Date.now()];
    await sleep(10 * greetEveryMs);
    const due = (Date.now() - begunMs) / greetEveryMs;
    expect(greetings() - before).toBeGreaterThan(0);
    expect(greetings() - before).toBeLessThan(2 * due);
  });

  it('another one that answers is sent nothing, and is asked nothing again', async () => {
    for (const identity of [null, '', 'acceptor-2:6379#other', `${ME}2`]) {
      const redis = await fake(answering(identity));
      const { acceptor, states } = meaning(ME, redis.address);
      await becomes(acceptor, 'stranger');
      await refusesAll(acceptor);
      await sleep(TIMEOUT_MS);
      expect(ours(redis)).toEqual([['greet']]);
      expect(redis.asked.flat().filter((command) => command.startsWith('config get'))).toHaveLength(1);
      expect(states).toEqual(['stranger']);
    }
  });

  it.each([
    ['never answers the question', answering(undefined)],
    ['refuses the question', (command, socket) => (GREETING.test(command) ? '-BUSY\r\n' : answering(ME)(command, socket))],
    ['hangs up at the question', (command, socket) => (GREETING.test(command) ? void socket.destroy() : answering(ME)(command, socket))],
  ] satisfies [string, Answers][])('one that %s is not used; it is asked again, not too often, until it answers', async (_, answers) => {
    const redis = await fake(answers);
    const { acceptor, states } = meaning(ME, redis.address);
    await sleep(1_000);
    for (const [, send] of messages) await expect(send(acceptor, 'k')).rejects.toThrow(/not connected/);
    expect(redis.asked.length).toBeLessThan(ATTEMPTS_MAX);
    await vi.waitFor(() => expect(redis.asked.length).toBeGreaterThan(1), { timeout: HANG_MS });
    expect(ours(redis).flat()).not.toContain('hmget r:k promise ballot value');
    expect(states).toEqual([]);
    redis.answers = answering(ME);
    await becomes(acceptor, 'ready');
    expect(states).toEqual(['ready']);
  });

  it('the end may come at any point: no promise is left unhandled, and nobody is told', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    for (const point of ['hello', 'info', 'eval', 'config get']) {
      for (const who of ['they', 'we', 'they, with the answer on its way']) {
        const watched: Watched[] = [];
        const redis = await fake((command, socket) => {
          if (command.startsWith(point)) {
            if (who === 'we') watched[0]?.acceptor.close();
            else if (who === 'they') socket.destroy();
            else socket.end(answering('acceptor-2:6379#other')(command, socket) ?? '');
          }
          return socket.writable ? answering(ME)(command, socket) : undefined;
        });
        watched.push(meaning(ME, redis.address));
        await vi.waitFor(() => expect(redis.asked[0]?.join('\n')).toContain(point), { timeout: HANG_MS });
        await sleep(50);
        watched[0]?.acceptor.close();
      }
    }
    meaning(ME, '127.0.0.1:1').acceptor.close();
    await sleep(2 * TIMEOUT_MS);
    expect(unhandled).toEqual([]);
  });
});
