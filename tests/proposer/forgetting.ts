import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { RedisAdmin } from '../../src/redis/redis-admin.js';
import { acceptorName, Cluster } from '../cluster.js';
import { RedisServer } from '../redis-server.js';

const TIMEOUT_MS = 5_000;

/** Running proposers that know who their acceptors are, by a step of the control program. */
export async function clusterWithIdentities(acceptors: number): Promise<Cluster> {
  const cluster = await Cluster.forThisTest({ acceptors });
  const { code, stderr } = await cluster.control('add-accept', 'all', acceptorName(acceptors), String(Math.floor(acceptors / 2) + 1));
  if (code !== 0) throw new Error(stderr);
  return cluster;
}

export async function loseVolume(acceptor: RedisServer): Promise<void> {
  await acceptor.kill9();
  await rm(join(acceptor.directory, 'appendonlydir'), { recursive: true });
  await acceptor.start();
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'volume-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** @returns puts the data back as they are now */
export async function backUp(acceptor: RedisServer): Promise<() => Promise<void>> {
  const copy = await newFolder();
  await cp(acceptor.directory, copy, { recursive: true });
  return async () => {
    await acceptor.kill9();
    await rm(join(acceptor.directory, 'appendonlydir'), { recursive: true, force: true });
    await cp(copy, acceptor.directory, { recursive: true });
    await acceptor.start();
  };
}

/** How an acceptor comes to forget, behind the cluster's back. */
export const waysToForget: {
  readonly how: string;
  readonly forget: (acceptor: RedisServer) => Promise<unknown>;
  /** How often it closes connections: over each new one it may be met once more. */
  readonly closings?: number;
}[] = [
  { how: 'lost its volume', forget: loseVolume },
  { how: 'was emptied under living connections', forget: (acceptor) => acceptor.ask((redis) => redis.flushall()) },
  {
    how: 'is another one with keys of its own',
    forget: async (acceptor) => {
      const other = await RedisServer.start();
      onTestFinished(() => other.stop());
      await other.ask((redis) => redis.multi().set('identity', 'acceptor-9:6379#other').hset('r:a', 'promise', '1.1.1.1').exec());
      await other.kill9();
      await acceptor.kill9();
      await acceptor.start(['--dir', other.directory]);
    },
  },
  {
    how: 'was wiped, and joined something else since',
    closings: 2,
    forget: async (acceptor) => {
      const admin = new RedisAdmin(acceptor.address, TIMEOUT_MS);
      try {
        await admin.connect();
        await admin.wipe();
        await admin.adopt('acceptor-1:6379#second');
      } finally {
        admin.close();
      }
    },
  },
];
