import { setTimeout as sleep } from 'node:timers/promises';
import { ifNoAnswer, KeyValueClient } from '../../src/http/client.js';

/** Before a client that was refused, or got no answer, goes on. */
const PAUSE_MS = 20;
const VALUE = 'x'.repeat(70);

export interface ChurnOptions {
  /** Of the proposers' ports for clients. */
  readonly addresses: readonly string[];
  readonly clients: number;
  readonly keys: number;
  /** Acknowledged creates and deletes after which the clients end. */
  readonly operations: number;
}

/** Clients that create and delete keys, and in the end delete all of them. Each has keys of its own, and sends each request to any of the proposers. */
export class Churn {
  readonly #stores: readonly KeyValueClient[];
  readonly #options: ChurnOptions;
  #begun = 0;
  #done = 0;
  #isStopped = false;
  #isOver = false;
  /** How often a request was not done, by the code of the answer. */
  readonly refusals = new Map<string, number>();
  /** Resolves when all clients have ended. */
  readonly ended: Promise<void>;

  constructor(options: ChurnOptions) {
    this.#options = options;
    this.#stores = options.addresses.map((address) => new KeyValueClient(address));
    const clients = Array.from({ length: Math.min(options.clients, options.keys) }, (_, client) => this.#run(client));
    this.ended = Promise.all(clients).then(async () => {
      this.#isOver = true;
      await Promise.all(this.#stores.map((store) => store.close()));
    });
  }

  /** Whether all clients have ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Acknowledged creates and deletes. */
  get done(): number {
    return this.#done;
  }

  /** Ends the clients after the requests that are under way. */
  stop(): Promise<void> {
    this.#isStopped = true;
    return this.ended;
  }

  async #run(client: number): Promise<void> {
    const { clients, keys, operations } = this.#options;
    const own: string[] = [];
    for (let key = client; key < keys; key += clients) own.push(`key-${key}`);
    const existing = new Set<string>();
    while (!this.#isStopped && this.#begun < operations) {
      this.#begun += 1;
      await this.#toggle(own[Math.floor(Math.random() * own.length)] ?? '', existing);
    }
    for (const key of [...existing]) await this.#toggle(key, existing);
  }

  async #toggle(key: string, existing: Set<string>): Promise<void> {
    for (;;) {
      const store = this.#stores[Math.floor(Math.random() * this.#stores.length)];
      if (!store) throw new TypeError('there is no proposer');
      const isThere = existing.has(key);
      const code = await codeOf(isThere ? store.delete(key) : store.put(key, 0, VALUE));
      if (code === undefined) {
        if (isThere) existing.delete(key);
        else existing.add(key);
        this.#done += 1;
        return;
      }
      this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
      if (this.#isStopped) return;
      // One whose answer was lost had been done.
      if (code === 'VersionMismatch') existing.add(key);
      else if (code === 'KeyNotFound') existing.delete(key);
      else await sleep(PAUSE_MS);
    }
  }
}

/** @returns undefined for what was done */
async function codeOf(request: ReturnType<KeyValueClient['put']>): Promise<string | undefined> {
  const answer = await request.catch(ifNoAnswer);
  if (!answer) return 'no answer';
  return answer.ok ? undefined : answer.code;
}
