import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Program, type Running } from '../client/program.js';
import { Cluster, UNHURRIED } from '../cluster.js';
import { RedisClusterServers } from '../redis-cluster-servers.js';
import { RedisServer } from '../redis-server.js';
import { TlsRedis } from '../tls-redis.js';
import { tourCommands } from './tour-commands.js';

const MAKE_SECRETS = fileURLToPath(new URL('../../node-control/scripts/make-secrets.sh', import.meta.url));
const QUIET = Array.from({ length: 60 }, (_, index) => `quiet-${index}`);
/** A node that was started again waits for some seconds before it serves. */
const PATIENCE_MS = 20_000;

describe('a plain Redis, a Redis Cluster and one that speaks TLS, with the users that make-secrets.sh makes', () => {
  const secrets = join(mkdtempSync(join(tmpdir(), 'kinds-')), 'secrets');
  const access = (user: 'proposer' | 'control'): Record<string, string> => ({
    REDIS_USER: user,
    REDIS_PASSWORD_FILE: join(secrets, `${user}-password`),
    REDIS_CA_FILE: encrypted.certificates.authority,
  });
  const program = new Program();
  let plain: RedisServer;
  let clustered: RedisClusterServers;
  let encrypted: TlsRedis;

  beforeAll(async () => {
    execFileSync('bash', [MAKE_SECRETS, secrets]);
    const users = join(secrets, 'users.acl');
    // These tests look at the servers without a password.
    writeFileSync(users, readFileSync(users, 'utf8').replace('user default off', 'user default on nopass ~* +@all'));
    plain = await RedisServer.start(['--aclfile', users]);
    clustered = await RedisClusterServers.start(3, ['--aclfile', users]);
    encrypted = await TlsRedis.start(['--aclfile', users]);
  });
  afterAll(async () => {
    await program.close();
    await Promise.all([plain, clustered, encrypted].map((server) => server.stop()));
    rmSync(join(secrets, '..'), { recursive: true });
  });

  it('pass the tour, in which the Redis Cluster loses a node; and then it is replaced', async () => {
    const addresses = [clustered, encrypted, plain].map(({ address }) => address);
    const cluster = await Cluster.forThisTest({ addresses, configured: 0, env: { ...access('proposer'), ...UNHURRIED } });
    const control = async (...args: string[]): Promise<string> => {
      const result = await cluster.controlWith(access('control'), ...args);
      expect([args, result]).toMatchObject([args, { code: 0 }]);
      return result.stdout;
    };
    const firstIs = (standing: string): Promise<unknown> =>
      expect.poll(() => control('status'), { timeout: PATIENCE_MS }).toMatch(new RegExp(`acceptor-1:6379 +${standing}`));
    let client: Running | undefined;
    const begun: Readonly<Record<string, () => Promise<unknown>>> = {
      './run-client.sh': async () => {
        for (const key of QUIET) await cluster.proposer(1).kv.put(key, 0, 'kept');
        client = program.start([], readFileSync(cluster.addressMap, 'utf8'));
        await client.printed(/^2\t/);
      },
      './wipe-acceptor-2.sh': () => control('wipe-acceptor', 'acceptor-2:6379'),
      './wipe-acceptor-3.sh': () => control('wipe-acceptor', 'acceptor-3:6379'),
      './fault.sh kill acceptor-1': async () => {
        await clustered.node(1).kill9();
        await firstIs('unreachable');
      },
      './fault.sh start acceptor-1': async () => {
        await clustered.restart(1);
        await clustered.settled();
        await firstIs('reachable');
      },
    };
    const commands = tourCommands();
    expect(commands.filter((command) => /control\.sh (add|rm|rescan)/.test(command))).toHaveLength(17);
    for (const command of commands) await (begun[command]?.() ?? control(...command.split(' ').slice(1)));

    client?.child.kill('SIGTERM');
    expect(await client?.ended).toBe(0);
    expect(client?.stdout).toMatch(/in all: [1-9]\d* acknowledged .* nothing lost\n$/);
    const columns = client?.funnel.slice(1).flatMap((second) => second.columns) ?? [];
    expect(columns.length).toBeGreaterThan(30);
    expect(columns.filter((column) => column[3] !== 0)).toEqual([]);

    await control('resize', 'acceptor-2:6379,acceptor-3:6379');
    await control('wipe-acceptor', 'acceptor-1:6379');
    await control('resize', 'acceptor-1:6379,acceptor-2:6379,acceptor-3:6379');
    for (const key of QUIET) expect(await cluster.proposer(2).kv.get(key)).toMatchObject({ body: { ver: 1, val: 'kept' } });
    const count = "return #redis.call('KEYS', 'r:quiet-*')";
    const onEachNode = (await Promise.all(clustered.nodes.map((node) => clustered.ask(node, 'EVAL', count, 0)))).map(Number);
    expect(onEachNode.reduce((sum, keys) => sum + keys, 0)).toBe(QUIET.length);
    expect(Math.min(...onEachNode)).toBeGreaterThan(0);
  }, 300_000);

  it('are refused where the Redis Cluster has a replica, and status says why', async () => {
    const addresses = [plain.address, clustered.address];
    const cluster = await Cluster.forThisTest({ addresses, configured: 0, env: { ...access('proposer'), ...UNHURRIED } });
    const replica = await clustered.addNode();
    await clustered.settled();
    await clustered.ask(replica, 'CLUSTER', 'REPLICATE', await clustered.idOf(clustered.node(1)));
    const nodes = async (): Promise<string> => String(await clustered.ask(clustered.node(0), 'CLUSTER', 'NODES'));
    await expect.poll(nodes, { timeout: PATIENCE_MS }).toContain('slave');
    const refused = await cluster.controlWith(access('control'), 'add-accept', 'all', 'acceptor-2:6379', '1');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/replicas, and a failover to one would lose acknowledged writes/) as string,
    });
    const { stdout } = await cluster.controlWith(access('control'), 'status');
    expect(stdout).toMatch(/acceptor-2:6379 +not used/);
    expect(stdout).toContain('acceptor-2:6379: this Redis Cluster has replicas');
  });
});
