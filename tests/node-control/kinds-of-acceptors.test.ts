import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, configurationOf, majorities } from '../cluster.js';
import { counterOf, increment, newTally } from '../increments.js';
import { RedisClusterServers } from '../redis-cluster-servers.js';
import { RedisServer } from '../redis-server.js';
import { PASSWORD, TlsRedis, USER } from '../tls-redis.js';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GROW, SHRINK, START } from './spec-commands.js';

const KEYS = Array.from({ length: 30 }, (_, index) => `key-${index}`);
const QUIET = Array.from({ length: 60 }, (_, index) => `quiet-${index}`);
/** A node that was started again waits for some seconds before it serves. */
const PATIENCE_MS = 20_000;

describe('with a plain Redis, a Redis Cluster and one that speaks TLS as acceptors', () => {
  let plain: RedisServer;
  let clustered: RedisClusterServers;
  let encrypted: TlsRedis;
  let cluster: Cluster;

  beforeAll(async () => {
    const user = ['--user', USER, 'on', `>${PASSWORD}`, '~*', '+@all'];
    plain = await RedisServer.start(user);
    clustered = await RedisClusterServers.start(3, user);
    encrypted = await TlsRedis.start();
    const passwordFile = join(encrypted.certificates.folder, 'password');
    writeFileSync(passwordFile, `${PASSWORD}\n`);
    cluster = await Cluster.start({
      addresses: [plain.address, clustered.address, encrypted.address],
      configured: 0,
      env: { REDIS_USER: USER, REDIS_PASSWORD_FILE: passwordFile, REDIS_CA_FILE: encrypted.certificates.authority },
    });
  });
  afterAll(async () => {
    await cluster.stop();
    await Promise.all([plain, clustered, encrypted].map((server) => server.stop()));
  });

  const run = async (commands: readonly string[]): Promise<void> => {
    for (const command of commands) expect([command, await cluster.control(...command.split(' '))]).toMatchObject([command, { code: 0 }]);
  };

  it('the spec migrates from one to three and back under clients, past the loss and the return of a node', async () => {
    await run(START);
    for (const key of QUIET) await cluster.proposer(1).kv.put(key, 0, 'kept');
    const tally = newTally();
    let isOver = false;
    const clients = Array.from({ length: 3 }, async (_, index) => {
      const { kv } = cluster.proposer(1 + (index % 2));
      for (let turn = index; !isOver; turn += 1) await increment(kv, KEYS[turn % KEYS.length] ?? '', tally);
    });
    try {
      await run(GROW);
      expect(await configurationOf(cluster.proposer(2))).toMatchObject(majorities(3));
      const sizes = await Promise.all(
        clustered.nodes.map((node) => clustered.ask(node, 'EVAL', "return #redis.call('KEYS', 'r:quiet-*')", 0)),
      );
      expect(sizes.reduce<number>((sum, size) => sum + Number(size), 0)).toBe(QUIET.length);
      expect(Math.min(...sizes.map(Number))).toBeGreaterThan(0);

      await clustered.node(1).kill9();
      await expect
        .poll(async () => (await cluster.control('status')).stdout, { timeout: PATIENCE_MS })
        .toMatch(/acceptor-2:6379 +unreachable/);
      const before = tally.byKey.get('key-0') ?? 0;
      await expect.poll(() => tally.byKey.get('key-0') ?? 0, { timeout: PATIENCE_MS }).toBeGreaterThan(before + 3);
      await clustered.restart(1);
      await clustered.settled();
      await expect
        .poll(async () => (await cluster.control('status')).stdout, { timeout: PATIENCE_MS })
        .toMatch(/acceptor-2:6379 +reachable/);
      await run(SHRINK);
    } finally {
      isOver = true;
      await Promise.all(clients);
    }
    const allowed = ['200', '201', 'KeyNotFound', 'VersionMismatch', 'PrepareError', 'ConcurrentRequestError', 'StaleConfiguration'];
    expect([...tally.codes].filter(([code]) => !allowed.includes(code))).toEqual([]);
    for (const key of KEYS) expect([key, await counterOf(cluster.proposer(1).kv, key)]).toEqual([key, tally.byKey.get(key) ?? 0]);
    for (const key of QUIET) expect(await cluster.proposer(2).kv.get(key)).toMatchObject({ body: { ver: 1, val: 'kept' } });
  }, 120_000);

  it('the Redis Cluster is refused once it has a replica, and status says why', async () => {
    const replica = await clustered.addNode();
    await clustered.settled();
    await clustered.ask(replica, 'CLUSTER', 'REPLICATE', await clustered.idOf(clustered.node(1)));
    const isSeen = async (): Promise<string> => String(await clustered.ask(clustered.node(0), 'CLUSTER', 'NODES'));
    await expect.poll(isSeen, { timeout: PATIENCE_MS }).toContain('slave');
    const refused = await cluster.control('add-accept', 'all', 'acceptor-2:6379', '2');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/replicas, and a failover to one would lose acknowledged writes/) as string,
    });
    const { stdout } = await cluster.control('status');
    expect(stdout).toMatch(/acceptor-2:6379 +not used/);
    expect(stdout).toContain('acceptor-2:6379: this Redis Cluster has replicas');
  });
});
