import { parseBallot } from './ballot.js';
import { connectRedis, IDENTITY_KEY, REGISTER_PREFIX } from './redis-acceptor.js';

/** How many keys one SCAN call looks at. */
const SCAN_COUNT = 1000;

/** In one step: a wipe that comes late finds the acceptor under the identity that it was meant for, or does nothing. */
const WIPE = `
  local identity = redis.call('GET', ARGV[1])
  if ARGV[2] and (identity or '') ~= ARGV[2] then return -1 end
  local keys = redis.call('DBSIZE')
  redis.call('FLUSHALL', 'SYNC')
  return keys - (identity and 1 or 0)
`;

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

  /**
   * The keys of all registers, also of those that hold nothing but a promise. SCAN may return a key more than once. Rejects where the connection
   * was lost, though there be a new one: a server that was started again orders its keys anew, and a cursor from before would leave some out.
   */
  async *keys(): AsyncGenerator<string[]> {
    const connection = { isLost: false };
    const lose = (): void => void (connection.isLost = true);
    this.#redis.once('close', lose);
    try {
      let cursor = '0';
      do {
        const [next, names] = await this.#redis.scan(cursor, 'MATCH', `${REGISTER_PREFIX}*`, 'COUNT', SCAN_COUNT);
        if (connection.isLost) throw new Error('the connection was lost in the middle of the list');
        cursor = next;
        yield names.map((name) => name.slice(REGISTER_PREFIX.length));
      } while (cursor !== '0');
    } finally {
      this.#redis.off('close', lose);
    }
  }

  /** The number of registers; none: the acceptor promised nothing and accepted nothing. What is not ours counts too: a wipe would remove it. */
  async size(): Promise<number> {
    const [[, keys] = [], [, identities] = []] = (await this.#redis.multi().dbsize().exists(IDENTITY_KEY).exec()) ?? [];
    return Number(keys) - Number(identities);
  }

  /** The highest era in any ballot that the acceptor has seen; 0 where there is none. Reads every register. */
  async highestEra(): Promise<number> {
    let highest = 0;
    for await (const keys of this.keys()) {
      const promises = await Promise.all(keys.map((key) => this.#redis.hget(REGISTER_PREFIX + key, 'promise')));
      for (const promise of promises) highest = Math.max(highest, parseBallot(promise ?? '').era);
    }
    return highest;
  }

  /** Who the acceptor is; undefined where it never joined a cluster, or has forgotten. */
  async identity(): Promise<string | undefined> {
    return (await this.#redis.get(IDENTITY_KEY)) ?? undefined;
  }

  /** Gives the acceptor an identity where it has none. Returns the one that it has then. */
  async adopt(identity: string): Promise<string> {
    const [[refused] = [], [error, present] = []] =
      (await this.#redis.multi().setnx(IDENTITY_KEY, identity).get(IDENTITY_KEY).exec()) ?? [];
    const failure = refused ?? error;
    if (failure) throw failure;
    return String(present);
  }

  /**
   * Removes all data, the identity with it. Returns how many registers there were.
   *
   * Closes all other connections first. A wipe that got no answer in time, and was repeated, may still be on its way when the acceptor has
   * joined again: over a connection that is closed it never arrives. Nor does a late accept of a proposer that no longer lists it.
   *
   * @param whose the identity that was looked at; with another one by now nothing is removed, and the wipe rejects
   */
  async wipe(whose?: { readonly identity: string | undefined }): Promise<number> {
    await this.#redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const expected = whose ? [whose.identity ?? ''] : [];
    const count = Number(await this.#redis.eval(WIPE, 0, IDENTITY_KEY, ...expected));
    if (count < 0) throw new Error('it joined under a new identity meanwhile');
    return count;
  }

  close(): void {
    this.#redis.disconnect();
  }
}
