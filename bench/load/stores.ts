import { KeyValueClient, NetworkError } from '../../src/http/client.js';
import { RedisAcceptor } from '../../src/redis/redis-acceptor.js';
import { type HeldValue, type LoadedStore, NotServed } from './loaded-store.js';

/** `acceptor`: a bare Redis, asked what a proposer asks it. */
export type Protocol = 'proposer' | 'etcd' | 'zookeeper' | 'acceptor';

/** @param timeoutMs for each request, to the millisecond */
export async function openStore(protocol: Protocol, address: string, timeoutMs: number): Promise<LoadedStore> {
  if (protocol === 'proposer') return withDeadline(new ProposerStore(address, timeoutMs), timeoutMs);
  if (protocol === 'etcd') return new (await import('./etcd-store.js')).EtcdStore(address, timeoutMs);
  if (protocol === 'zookeeper')
    return withDeadline(await (await import('./zookeeper-store.js')).ZooKeeperStore.connect(address), timeoutMs);
  return AcceptorStore.connect(address, timeoutMs);
}

/** The clocks of undici tick twice a second: a time-out of a second lasts up to one and a half, and there is none below a second. */
function withDeadline(store: LoadedStore, timeoutMs: number): LoadedStore {
  const inTime = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new NetworkError(`no answer in ${timeoutMs} ms`)), timeoutMs);
      void answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  const add = store.add?.bind(store);
  return {
    read: (key) => inTime(store.read(key)),
    write: (key, held, val) => inTime(store.write(key, held, val)),
    ...(add && { add: (key) => inTime(add(key)) }),
    close: () => store.close(),
  };
}

/** With the time-outs of every client. @param addresses of the proposers' ports for clients */
export function proposerStores(addresses: readonly string[]): LoadedStore[] {
  return addresses.map((address) => new ProposerStore(address));
}

class ProposerStore implements LoadedStore {
  readonly #client: KeyValueClient;

  constructor(address: string, timeoutMs?: number) {
    this.#client = new KeyValueClient(address, timeoutMs === undefined ? {} : { timeoutMs });
  }

  async read(key: string): Promise<HeldValue> {
    const answer = await this.#client.get(key);
    if (answer.ok) return answer.body;
    if (answer.code === 'KeyNotFound') return { ver: 0, val: undefined };
    throw new NotServed(`${answer.code} (${answer.message})`);
  }

  async write(key: string, { ver }: HeldValue, val: unknown): Promise<boolean> {
    const answer = await this.#client.put(key, Number(ver), val);
    if (answer.ok) return true;
    // A mismatch that names the very version that was expected is none.
    if (answer.code === 'VersionMismatch' && answer.body['ver'] !== ver) return false;
    throw new NotServed(`${answer.code} (${answer.message})`);
  }

  async add(key: string): Promise<void> {
    const answer = await this.#client.post(key, { add: 1 });
    if (!answer.ok) throw new NotServed(`${answer.code} (${answer.message})`);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** Above those of every earlier run on the same data. */
let counter = Date.now() * 1_000;

/** What a proposer that had one acceptor would ask it: HMGET to read, both scripts to write. */
class AcceptorStore implements LoadedStore {
  readonly #acceptor: RedisAcceptor;

  private constructor(acceptor: RedisAcceptor) {
    this.#acceptor = acceptor;
  }

  static async connect(address: string, timeoutMs: number): Promise<AcceptorStore> {
    const acceptor = await new Promise<RedisAcceptor>((resolve) => {
      const connecting = new RedisAcceptor({ address, timeoutMs, onState: () => resolve(connecting) });
    });
    return new AcceptorStore(acceptor);
  }

  async read(key: string): Promise<HeldValue> {
    const { ballot, value } = await answered(this.#acceptor.read(key));
    return { ver: ballot.counter, val: value === null ? undefined : (JSON.parse(value) as unknown) };
  }

  async write(key: string, _held: HeldValue, val: unknown): Promise<boolean> {
    const ballot = { era: 1, counter: ++counter, proposer: 1, incarnation: 1 };
    if (!(await answered(this.#acceptor.prepare(key, ballot))).ok) return false;
    return (await answered(this.#acceptor.accept(key, ballot, JSON.stringify(val), ballot))).ok;
  }

  async close(): Promise<void> {
    this.#acceptor.close();
  }
}

/** @throws NetworkError where no answer came */
async function answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    throw new NetworkError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
