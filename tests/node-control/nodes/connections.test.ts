import { describe, expect, it, onTestFinished } from 'vitest';
import { overNetwork } from '../../../node-control/nodes/connections.js';
import { type Answers, bulk, answering, FakeRedis } from '../../src/fake-redis.js';

/** Of the commands' patience with one that is loading. */
const SOON_MS = 1_000;

describe('an acceptor that reads its file', () => {
  const loading: Answers = (command, socket) => {
    if (command.startsWith('info')) return bulk('loading:1\r\nloading_eta_seconds:60\r\n');
    return command.startsWith('hello') ? answering(null)(command, socket) : '-LOADING Redis is loading the dataset in memory\r\n';
  };

  it('is told to the page at once, and a command waits whether it is done in a moment', async () => {
    const fake = await FakeRedis.start(loading);
    onTestFinished(() => fake.stop());
    const connections = overNetwork(() => fake.address);
    const [watched, commanded] = [connections.acceptor('acceptor-1:6379'), connections.acceptor('acceptor-1:6379')];
    onTestFinished(() => [watched, commanded].forEach((one) => one.close()));

    const beganMs = performance.now();
    const connected = commanded.connect();
    await expect(watched.connectUnlessLoading()).rejects.toThrow('LOADING, it still reads its file. Wait until it has');
    expect(performance.now() - beganMs).toBeLessThan(SOON_MS);
    fake.answers = answering(null);
    await connected;
    const again = connections.acceptor('acceptor-1:6379');
    onTestFinished(() => again.close());
    await again.connectUnlessLoading();
  });
});
