import { describe, expect, it, onTestFinished } from 'vitest';
import { overNetwork } from '../../../node-control/nodes/connections.js';
import { freePort } from '../../redis-server.js';
import { type Answers, bulk, answering, FakeRedis } from '../../src/fake-redis.js';
import { TlsRedis } from '../../tls-redis.js';

/** Of the commands' patience with one that is loading. */
const SOON_MS = 1_000;

describe('who is there, and serves nobody here,', () => {
  const refusedAt = (address: string): Promise<void> => {
    const acceptor = overNetwork(() => address).acceptor('acceptor-1:6379');
    onTestFinished(() => acceptor.close());
    return acceptor.connect();
  };

  it.each([
    [
      '-WRONGPASS invalid username-password pair or user is disabled.',
      'it lets nobody in with these secrets (REDIS_USER, REDIS_PASSWORD_FILE): WRONGPASS',
    ],
    [
      '-NOAUTH HELLO must be called with the client already authenticated',
      'it lets nobody in with these secrets (REDIS_USER, REDIS_PASSWORD_FILE): NOAUTH',
    ],
    ['HTTP/1.1 400 Bad Request', 'what answers at its address is no Redis'],
  ])('is not said to be silent: %s', async (answer, text) => {
    const fake = await FakeRedis.start(() => `${answer}\r\n`);
    onTestFinished(() => fake.stop());
    await expect(refusedAt(fake.address)).rejects.toThrow(text);
    await expect(refusedAt(`redis+cluster://${fake.address}`)).rejects.toThrow(text);
  });

  it('is not said to be silent: a certificate of an authority that is not known', async () => {
    const encrypted = await TlsRedis.start();
    onTestFinished(() => encrypted.stop());
    await expect(refusedAt(encrypted.address)).rejects.toThrow('its certificate is not trusted (REDIS_CA_FILE): ');
  });

  it('is not said to be silent: a Redis with TLS whose address says that it has none, and the other way round', async () => {
    const encrypted = await TlsRedis.start();
    onTestFinished(() => encrypted.stop());
    await expect(refusedAt(encrypted.address.replace('rediss:', 'redis:'))).rejects.toThrow(
      'it speaks TLS: its address begins with rediss://',
    );
    await expect(refusedAt(`rediss://${encrypted.server.address}`)).rejects.toThrow('it speaks no TLS: its address begins with redis://');
  });

  it('is silent where nobody listens', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    await expect(refusedAt(address)).rejects.toThrow('it does not answer');
    await expect(refusedAt(`rediss://${address}`)).rejects.toThrow('it does not answer');
  });
});

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
