import { execFileSync } from 'node:child_process';
import { open, rm, statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { layoutFrom } from '../local/layout.js';
import { findRedis } from '../local/nodes.js';
import { etcdVersion } from './systems/etcd.js';
import { zooKeeperVersion } from './systems/zookeeper.js';

/** Where the figures come from. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGib: number;
  readonly kernel: string;
  /** A write of 4 KiB that is on disk, in milliseconds. */
  readonly syncMs: { readonly p50: number; readonly p99: number };
  /** Of the last minute before it began: how busy others kept the machine. */
  readonly loadAverage: number;
}

export interface Versions {
  /** That proposers, the floor and the load ran on. */
  readonly node: string;
  readonly express: string;
  /** With its name: it may be Valkey. */
  readonly redis: string;
  /** Undefined where it was not there to be measured. */
  readonly etcd: string | undefined;
  readonly zookeeper: string | undefined;
}

const SYNCS = 300;
/** What statfs says of a file system in memory. */
const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;

export async function describeMachine(): Promise<Machine> {
  const [cpu] = os.cpus();
  return {
    cores: os.availableParallelism(),
    processor: cpu?.model ?? 'unknown',
    memoryGib: Math.round(os.totalmem() / 1024 ** 3),
    loadAverage: os.loadavg()[0] ?? NaN,
    kernel: `${os.type()} ${os.release()}`,
    syncMs: await measureSync(os.tmpdir()),
  };
}

/** @param node the binary that runs the proposers @param zookeeper the folder of its jars */
export function findVersions({ node, etcd, zookeeper }: { node: string; etcd: string; zookeeper: string | undefined }): Versions {
  const { version: express } = createRequire(import.meta.url)('express/package.json') as { version: string };
  const redis = execFileSync(findRedis(layoutFrom({}), process.env), ['--version'], { encoding: 'utf8' });
  return {
    node: nodeVersion(node),
    express,
    redis: redis.replace(/^(\w+) server v=(\S+).*/s, '$1 $2'),
    etcd: etcdVersion(etcd),
    zookeeper: zooKeeperVersion(zookeeper),
  };
}

function nodeVersion(node: string): string {
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  } catch (error) {
    throw new Error(`--node ${node}: it cannot be run (${error instanceof Error ? error.message : String(error)})`, { cause: error });
  }
}

/** Whether what is written to a folder would stay in memory. */
export async function isInMemory(folder: string): Promise<boolean> {
  const { type } = await statfs(folder);
  return type === TMPFS || type === RAMFS;
}

async function measureSync(folder: string): Promise<{ p50: number; p99: number }> {
  const name = path.join(folder, `bench-sync-${process.pid}`);
  const file = await open(name, 'w');
  await rm(name);
  const block = Buffer.alloc(4096, 'x');
  const tookMs: number[] = [];
  try {
    for (let count = 0; count < SYNCS; count += 1) {
      const sinceMs = performance.now();
      await file.write(block);
      await file.datasync();
      tookMs.push(performance.now() - sinceMs);
    }
  } finally {
    await file.close();
  }
  tookMs.sort((a, b) => a - b);
  const at = (share: number): number => tookMs[Math.floor(SYNCS * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
