import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisAcceptor } from '../../../src/redis/redis-acceptor.js';
import { RedisAdmin } from '../../../src/redis/redis-admin.js';
import { readRedisAccess, type RedisAccess } from '../../../src/redis/redis-connection.js';
import { makeCertificates, PASSWORD, TlsRedis, USER } from '../../tls-redis.js';
import { describeAcceptor } from '../acceptor-conformance.js';

const TIMEOUT_MS = 1_000;
const HANG_MS = 10_000;

let redis: TlsRedis;
let access: RedisAccess;

function connected(address: string, through: RedisAccess): RedisAcceptor {
  const acceptor = new RedisAcceptor({ address, access: through, timeoutMs: TIMEOUT_MS });
  onTestFinished(() => acceptor.close());
  return acceptor;
}

beforeAll(async () => {
  redis = await TlsRedis.start();
  access = { username: USER, password: PASSWORD, ca: readFileSync(redis.certificates.authority, 'utf8') };
});
afterAll(() => redis.stop());

describe('over TLS, with a password', () => {
  let lasting: RedisAcceptor;
  beforeAll(async () => {
    lasting = new RedisAcceptor({ address: redis.address, access, timeoutMs: HANG_MS });
    await vi.waitFor(() => expect(lasting.state).toBe('ready'), { timeout: HANG_MS });
  });
  afterAll(() => lasting.close());
  describeAcceptor('the Redis acceptor over TLS', () => lasting);

  it('is used again after it was gone', async () => {
    const acceptor = connected(redis.address, access);
    await vi.waitFor(() => expect(acceptor.state).toBe('ready'), { timeout: HANG_MS });
    redis.server.pause();
    await expect(acceptor.read('k')).rejects.toThrow();
    await vi.waitFor(() => expect(acceptor.state).toBe('unreachable'), { timeout: HANG_MS });
    redis.server.resume();
    await vi.waitFor(() => expect(acceptor.state).toBe('ready'), { timeout: HANG_MS });
  });

  it('can be looked at as a whole', async () => {
    const admin = new RedisAdmin(redis.address, TIMEOUT_MS, access);
    onTestFinished(() => admin.close());
    await admin.connect();
    expect(await admin.size()).toBeGreaterThan(0);
  });
});

describe('is not used', () => {
  it.each([
    ['with a certificate of another authority', () => ({ ...access, ca: readFileSync(other.authority, 'utf8') })],
    ['with a certificate of a private authority that nobody named', () => ({ username: USER, password: PASSWORD })],
    ['with a wrong password', () => ({ ...access, password: 'wrong' })],
    ['without a password', () => ({ ca: access.ca ?? '' })],
  ])('an acceptor %s', async (_, through) => {
    const acceptor = connected(redis.address, through());
    await sleep(500);
    expect(acceptor.state).toBe('unreachable');
    await expect(acceptor.read('k')).rejects.toThrow();
    const admin = new RedisAdmin(redis.address, TIMEOUT_MS, through());
    onTestFinished(() => admin.close());
    await expect(admin.connect().then(() => admin.size())).rejects.toThrow();
  });
  const other = makeCertificates();
  afterAll(() => rmSync(other.folder, { recursive: true }));

  it('a TLS port without TLS, and a plain port with it', async () => {
    const plain = connected(`redis://127.0.0.1:${redis.tlsPort}`, access);
    const encrypted = connected(`rediss://127.0.0.1:${redis.server.port}`, access);
    await sleep(500);
    expect([plain.state, encrypted.state]).toEqual(['unreachable', 'unreachable']);
  });
});

describe('what lets a client in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it('is read from files, without the end of the line', () => {
    const environment = { REDIS_USER: 'u', REDIS_PASSWORD_FILE: file('p', 's3 cret\n'), REDIS_CA_FILE: file('ca', 'PEM\n') };
    expect(readRedisAccess(environment)).toEqual({ username: 'u', password: 's3 cret', ca: 'PEM' });
    expect(readRedisAccess({})).toEqual({});
  });

  it.each([
    [{ REDIS_PASSWORD_FILE: '/nowhere' }, /^REDIS_PASSWORD_FILE: ENOENT/],
    [{ REDIS_USER: 'u' }, /^REDIS_USER is set: REDIS_PASSWORD_FILE must name/],
    [{ REDIS_PASSWORD_FILE: file('empty', '\n') }, /^REDIS_PASSWORD_FILE: .* is empty$/],
  ])('is missed by name: %j', (environment, words) => {
    expect(() => readRedisAccess(environment)).toThrow(words);
  });
});
