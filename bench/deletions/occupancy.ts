import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { splitAddress } from '../../src/node/addresses.js';
import { RedisAdmin } from '../../src/redis/redis-admin.js';

/** To connect, and for each answer: the machine is busy. */
const TIMEOUT_MS = 10_000;

/** What one acceptor takes up at a moment. */
export interface Occupancy {
  /** `used_memory`, which `maxmemory` is the limit of. */
  readonly memoryBytes: number;
  /** Of all append-only files in its folder, those that a rewrite is about to replace or to remove as well. */
  readonly fileBytes: number;
  /** Of the base file alone: what the last rewrite found to be worth keeping. */
  readonly baseBytes: number;
  readonly registers: number;
  /** How often its append-only file was rewritten. */
  readonly rewrites: number;
}

/** Looks at one acceptor from outside, without a part in what it is asked by others. */
export class OccupancyWatch {
  readonly #address: string;
  readonly #redis: Redis;
  readonly #files: string;

  /**
   * @param address `host:port` of the Redis server
   * @param folder its data folder
   */
  constructor(address: string, folder: string) {
    this.#address = address;
    this.#redis = new Redis(splitAddress(address));
    this.#files = path.join(folder, 'appendonlydir');
  }

  /** @param bytes that the data may take: the demo's acceptors in containers have such a limit, its local ones do not */
  async limitMemory(bytes: number): Promise<void> {
    await this.#redis.config('SET', 'maxmemory', bytes);
  }

  async look(): Promise<Occupancy> {
    const [memory, registers] = await Promise.all([this.#redis.info('memory'), this.#registers()]);
    const files = this.#sizes();
    const sum = (kind: string): number => files.reduce((total, { name, bytes }) => total + (name.includes(kind) ? bytes : 0), 0);
    const numbers = files.map(({ name }) => Number(/\.(\d+)\.base\./.exec(name)?.[1] ?? 0));
    return {
      memoryBytes: Number(/^used_memory:(\d+)/m.exec(memory)?.[1]),
      fileBytes: sum(''),
      baseBytes: sum('.base.'),
      registers,
      rewrites: Math.max(0, Math.max(...numbers) - 1),
    };
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #registers(): Promise<number> {
    const admin = new RedisAdmin(this.#address, TIMEOUT_MS);
    await admin.connect();
    try {
      return await admin.size();
    } finally {
      admin.close();
    }
  }

  #sizes(): { name: string; bytes: number }[] {
    return readdirSync(this.#files).map((name) => {
      // A rewrite removes files at any moment.
      const bytes = statSync(path.join(this.#files, name), { throwIfNoEntry: false })?.size ?? 0;
      return { name, bytes };
    });
  }
}
