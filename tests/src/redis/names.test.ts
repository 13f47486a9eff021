import type { LookupAddress } from 'node:dns';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectorTo, Names } from '../../../src/redis/names.js';
import { RedisAcceptor } from '../../../src/redis/redis-acceptor.js';
import { becomes, HANG_MS, ME, TIMEOUT_MS } from '../meant-acceptor.js';
import { RedisServer } from '../../redis-server.js';

const HERE: LookupAddress = { address: '127.0.0.1', family: 4 };
const NAME = 'acceptor-1.test';

const opened: RedisAcceptor[] = [];
afterEach(() => {
  for (const acceptor of opened.splice(0)) acceptor.close();
});

/** Names that a test answers, and what was asked for. */
function directory(find: (name: string) => Promise<readonly LookupAddress[]>): { names: Names; asked: string[] } {
  const asked: string[] = [];
  const names = new Names((name) => {
    asked.push(name);
    return find(name);
  });
  return { names, asked };
}

async function server(identity = ME): Promise<RedisServer> {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.stop());
  await redis.ask((client) => client.set('identity', identity));
  return redis;
}

function connected(names: Names, port: number, states: string[] = []): RedisAcceptor {
  const acceptor = new RedisAcceptor({
    ...{ address: `${NAME}:${port}`, identity: ME, timeoutMs: TIMEOUT_MS, names },
    // A server that has just started may be asked while it still reads its file, or not.
    onState: (state) => state !== 'loading' && states.push(state),
  });
  opened.push(acceptor);
  return acceptor;
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('a name', () => {
  it('that nobody answers for is looked up once, however often its acceptor is tried', async () => {
    const { names, asked } = directory(never);
    const acceptors = [connected(names, 1), connected(names, 1)];
    await sleep(4 * TIMEOUT_MS);
    expect(asked).toEqual([NAME]);
    expect(acceptors.map(({ state }) => state)).toEqual(['unreachable', 'unreachable']);
  });

  it('is looked up anew for each connection once it was answered, with an address or with an error', async () => {
    const { port } = await server();
    let answer: () => Promise<readonly LookupAddress[]> = () => Promise.reject(new Error('ENOTFOUND'));
    const { names, asked } = directory(() => answer());
    const acceptor = connected(names, port);
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(2), { timeout: HANG_MS });
    answer = () => Promise.resolve([{ address: '::1', family: 6 }, HERE]);
    await becomes(acceptor, 'ready');
  });
});

describe('an acceptor whose name nobody answers for any more', () => {
  it.each([
    ['in silence', never],
    ['with an error', () => Promise.reject(new Error('EAI_AGAIN'))],
  ])('(%s) is reached where it was', async (_, failing) => {
    const redis = await server();
    let find: () => Promise<readonly LookupAddress[]> = () => Promise.resolve([HERE]);
    const { names } = directory(() => find());
    const states: string[] = [];
    const acceptor = connected(names, redis.port, states);
    await becomes(acceptor, 'ready');
    find = failing;
    await redis.kill9();
    await becomes(acceptor, 'unreachable');
    await redis.start();
    await becomes(acceptor, 'ready');
    expect(states).toEqual(['ready', 'unreachable', 'ready']);
  });

  it('is looked for under its name again if somebody else is there by now', async () => {
    const redis = await server();
    let find: () => Promise<readonly LookupAddress[]> = () => Promise.resolve([HERE]);
    const { names, asked } = directory(() => find());
    const states: string[] = [];
    const acceptor = connected(names, redis.port, states);
    await becomes(acceptor, 'ready');

    let answer: ((addresses: readonly LookupAddress[]) => void) | undefined;
    find = () => new Promise((resolve) => (answer = resolve));
    await redis.ask((client) => client.set('identity', 'somebody else'));
    await redis.kill9();
    await redis.start();
    // It meets the other one, and does not take it for the one that is meant, nor that one for lost.
    await sleep(4 * TIMEOUT_MS);
    expect(states).toEqual(['ready', 'unreachable']);
    expect(asked).toHaveLength(2);

    await redis.ask((client) => client.set('identity', ME));
    answer?.([HERE]);
    find = () => Promise.resolve([HERE]);
    await becomes(acceptor, 'ready');
  });

  it('is not believed to be where it was if nobody knows who it is', async () => {
    const redis = await server();
    let find: () => Promise<readonly LookupAddress[]> = () => Promise.resolve([HERE]);
    const { names } = directory(() => find());
    const acceptor = new RedisAcceptor({ address: `${NAME}:${redis.port}`, timeoutMs: TIMEOUT_MS, names });
    opened.push(acceptor);
    await becomes(acceptor, 'ready');
    find = never;
    await redis.kill9();
    await redis.start();
    await sleep(2 * TIMEOUT_MS);
    expect(acceptor.state).toBe('unreachable');
  });
});

it('a connection may fail more than once: a last TLS alert does not end the process', async () => {
  const { names } = directory(() => Promise.resolve([HERE]));
  const { port } = await server();
  const connector = new (connectorTo(names, NAME, port, undefined))({});
  const stream = await connector.connect(() => undefined);
  onTestFinished(() => connector.disconnect());
  for (const words of ['the first', 'one after ioredis listens no more']) stream.emit('error', new Error(words));
  expect(connector.firstError?.message).toBe('the first');
});
