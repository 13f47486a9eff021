import type { Addresses } from '../../../src/node/addresses.js';
import { type Answer, KeyValueClient, NetworkError } from '../../../src/http/client.js';
import type { Versioned } from '../../../src/store/versioned.js';

/** However many pages write, no more at a time: each takes a connection to a proposer for every value. */
const WRITES_MAX = 10;
/** As long as a page waits. */
const ANSWER_MS = 8_000;

/** What a proposer answered to a write. */
export interface WriteAnswer {
  readonly proposer: string;
  /** Of HTTP; undefined where no answer came. */
  readonly status?: number;
  readonly text: string;
}

/** Writes a key through proposers, as any client of theirs does. */
export class KeyWriter {
  readonly #proposers: readonly string[];
  readonly #addresses: Addresses;
  #writes = 0;

  /** @param proposers names, without a port */
  constructor(proposers: readonly string[], addresses: Addresses) {
    this.#proposers = proposers;
    this.#addresses = addresses;
  }

  /** Whether as many writes are under way as may be. */
  get isBusy(): boolean {
    return this.#writes >= WRITES_MAX;
  }

  /**
   * Reads the version of a key through the first proposer that answers, then sends each value as the one after it, all at once: one of them can
   * be the next version.
   * @param values by the proposer that each is sent through; names that are not known are left out
   */
  async write(key: string, values: ReadonlyMap<string, string>): Promise<WriteAnswer[]> {
    this.#writes += 1;
    const clients = this.#proposers
      .filter((name) => values.has(name))
      .map((name) => ({ name, client: new KeyValueClient(this.#addresses(`${name}:8080`), { timeoutMs: ANSWER_MS }) }));
    try {
      const read = await Promise.any(clients.map(({ client }) => client.get(key))).catch(() => undefined);
      const ver = read?.ok ? read.body.ver : 0;
      return await Promise.all(
        clients.map(async ({ name, client }) => {
          try {
            return answerOf(name, await client.put(key, ver, values.get(name)));
          } catch (error) {
            if (!(error instanceof NetworkError)) throw error;
            return { proposer: name, text: 'no answer came: whether it was written is unknown' };
          }
        }),
      );
    } finally {
      this.#writes -= 1;
      await Promise.all(clients.map(({ client }) => client.close()));
    }
  }
}

function answerOf(proposer: string, answer: Answer<Versioned>): WriteAnswer {
  const { status } = answer;
  if (answer.ok) return { proposer, status, text: `written, as version ${answer.body.ver}` };
  const { ver, val } = answer.body as Partial<Versioned>;
  if (answer.code !== 'VersionMismatch') return { proposer, status, text: `${answer.code}: ${answer.message}` };
  return { proposer, status, text: `too late: version ${ver ?? '?'} is there already, ${JSON.stringify(val)}` };
}
