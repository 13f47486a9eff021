import { connectRedis, REGISTER_PREFIX } from './redis-acceptor.js';

/** How many keys one SCAN call looks at. */
const SCAN_COUNT = 1000;

/** For the control node: what an acceptor holds as a whole. Every method rejects where the acceptor cannot be reached. */
export class RedisAdmin {
  readonly #redis: ReturnType<typeof connectRedis>;

  /**
   * @param address `host:port` to connect to
   * @param timeoutMs for the connection and for each command
   */
  constructor(address: string, timeoutMs: number) {
    this.#redis = connectRedis(address, timeoutMs, { lazyConnect: true });
  }

  connect(): Promise<void> {
    return this.#redis.connect();
  }

  /** The keys of all registers, also of those that hold nothing but a promise. SCAN may return a key more than once. */
  async *keys(): AsyncGenerator<string[]> {
    let cursor = '0';
    do {
      const [next, names] = await this.#redis.scan(cursor, 'MATCH', `${REGISTER_PREFIX}*`, 'COUNT', SCAN_COUNT);
      cursor = next;
      yield names.map((name) => name.slice(REGISTER_PREFIX.length));
    } while (cursor !== '0');
  }

  /** The number of keys of any kind. */
  size(): Promise<number> {
    return this.#redis.dbsize();
  }

  /**
   * Removes all data. Returns how many keys there were.
   *
   * Closes all other connections first. A wipe that got no answer in time, and was repeated, may still be on its way when the acceptor has
   * joined again: over a connection that is closed it never arrives. Nor does a late accept of a proposer that no longer lists it.
   */
  async wipe(): Promise<number> {
    await this.#redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const [[, size] = [], [error] = []] = (await this.#redis.multi().dbsize().flushall('SYNC').exec()) ?? [];
    if (error) throw error;
    return Number(size);
  }

  close(): void {
    this.#redis.disconnect();
  }
}
