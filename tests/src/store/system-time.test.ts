import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Sender } from '../../../src/redis/sender.js';
import { systemTime } from '../../../src/store/system-time.js';
import { RedisServer } from '../../redis-server.js';

const TIMEOUT_MS = 50;
/** Long enough for an answer to be there, on a machine that has other things to do, too. */
const STILL_MS = 1_000;
const WITHIN_MS = 10_000;

/** As a process does that is stopped, or has to wait for a processor. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STILL_MS);
}

describe('a process that stood still for longer than its time-outs', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.port, '127.0.0.1', { commandTimeout: TIMEOUT_MS });
    // The first one waits for the connection, too, which takes longer on a busy machine.
    await vi.waitFor(() => new Sender(redis).send('ping'), { timeout: WITHIN_MS });
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('hears the answer that came meanwhile before it counts a node as late', async () => {
    const heard: string[] = [];
    // With a time-out of its own it would be told by that.
    const patient = new Redis(server.port, '127.0.0.1');
    await patient.ping();
    const answer = patient.ping().then(() => heard.push('the answer'));
    const late = new Promise<void>((resolve) => {
      systemTime.after(TIMEOUT_MS, () => {
        heard.push('late');
        resolve();
      });
    });
    standStill();
    await Promise.all([answer, late]);
    patient.disconnect();
    expect(heard).toEqual(['the answer', 'late']);
  });

  it('takes no answer that is there for a time-out', async () => {
    const answer = new Sender(redis).send('ping');
    standStill();
    expect(await answer).toBe('PONG');
  });

  it('calls off what is due', async () => {
    let isFired = false;
    const cancel = systemTime.after(1, () => (isFired = true));
    // Runs after the timer, and before what that has put off.
    setTimeout(cancel, 1);
    standStill();
    await new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS));
    expect(isFired).toBe(false);
  });
});
