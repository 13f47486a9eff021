import type { QuorumSet } from '../../src/protocol/quorum.js';
import { sleep, type Time } from '../../src/protocol/time.js';
import type { Nodes } from '../nodes/nodes.js';
import type { AcceptorAdmin } from '../../src/redis/acceptor-admin.js';
import type { Identities } from '../safety/guard.js';
import { SeenKeys } from './seen-keys.js';
import { reasonOf } from '../safety/objection.js';

export interface ListingOptions {
  /** What the configurations know of the acceptors; one that they do not list any more is who it says. */
  readonly identities: Identities;
  /** For the keys that were listed already. */
  readonly memoryBytes: number;
  /** Before a listing that broke off is begun again; as often as there are pauses. */
  readonly pausesMs: readonly number[];
  readonly time: Time;
}

interface Source {
  readonly name: string;
  readonly identity: string | undefined;
  readonly size: number;
}

/** The keys that some acceptors hold, one acceptor after the other, each key once if memory allows, and if none of the listings breaks off. */
export class KeyListing {
  readonly #nodes: Nodes;
  readonly #acceptors: readonly string[];
  readonly #options: ListingOptions;
  readonly #seen: SeenKeys;
  readonly #failures = new Map<string, string>();
  #sources: Source[] = [];
  #isRepetitive = false;

  constructor(nodes: Nodes, acceptors: readonly string[], options: ListingOptions) {
    this.#nodes = nodes;
    this.#acceptors = acceptors;
    this.#options = options;
    this.#seen = new SeenKeys(options.memoryBytes);
  }

  /** The acceptors that did not list their keys completely, each with the reason. */
  get failures(): string[] {
    return [...this.#failures].map(([name, reason]) => `${name} (${reason})`);
  }

  /** About how many keys there are. An acceptor that was just added holds some of those of the others. */
  get estimate(): number {
    return Math.max(0, ...this.#sources.map(({ size }) => size));
  }

  /** Whether keys went through more than once: for want of memory, or since a listing was begun again. */
  get isRepetitive(): boolean {
    return this.#isRepetitive || this.#seen.isFull;
  }

  /** Who was listed. One that did not say who it is goes by what the configurations say. */
  listed(required: number): QuorumSet {
    const own = new Map(this.#sources.map(({ name, identity }) => [name, identity]));
    return { nodes: this.#acceptors.map((name) => own.get(name) ?? this.#options.identities[name] ?? name), quorum: required };
  }

  /** Looks who answers, and how many keys there are. */
  async meet(): Promise<void> {
    const sources: Source[] = [];
    const meetOne = (name: string): Promise<void> =>
      this.#unlessItFails(name, () =>
        this.#nodes.withAcceptor(name, async (admin) => {
          const identity = await this.#recognize(name, admin);
          const size = await admin.size();
          const twin = sources.find((other) => identity !== undefined && other.identity === identity);
          if (twin) throw new Error(`it is the same acceptor as ${twin.name}`);
          sources.push({ name, identity, size });
        }),
      );
    await Promise.all(this.#acceptors.map(meetOne));
    const place = ({ name }: Source): number => this.#acceptors.indexOf(name);
    sources.sort((a, b) => place(a) - place(b));
    // The fewest keys first: a newcomer is empty now, and would later list what the rescan brought to it.
    this.#sources = sources.sort((a, b) => a.size - b.size);
  }

  /** Hands on the keys of all that answered, page by page, each page when the one before was taken. Rejects if that does. */
  async list(take: (keys: string[]) => Promise<void>): Promise<void> {
    for (const source of this.#sources) {
      let refusal: { error: unknown } | undefined;
      const handOn = (keys: string[]): Promise<void> =>
        take(keys).catch((error: unknown) => {
          refusal = { error };
          throw error;
        });
      await this.#unlessItFails(source.name, async () => {
        for (const pauseMs of [...this.#options.pausesMs, undefined]) {
          try {
            await this.#listOne(source, handOn);
            return;
          } catch (error) {
            if (refusal || pauseMs === undefined) throw error;
            if (this.#isLast(source)) this.#isRepetitive = true;
            await sleep(this.#options.time, pauseMs);
          }
        }
      });
      if (refusal) throw refusal.error;
    }
  }

  #listOne(source: Source, handOn: (keys: string[]) => Promise<void>): Promise<void> {
    return this.#nodes.withAcceptor(source.name, async (admin) => {
      for await (const page of admin.keys()) {
        // Nobody comes after the last one, which holds the most keys: to remember them would take longer than to copy them.
        const isNew = this.#isLast(source) ? (key: string) => !this.#seen.has(key) : (key: string) => this.#seen.isNew(key);
        const keys = page.filter(isNew);
        if (keys.length > 0) await handOn(keys);
      }
      // Asked after the last key: it then was the same acceptor all the time, for a wipe takes its identity away.
      const identity = await this.#recognize(source.name, admin);
      if (identity !== source.identity) throw new Error('it was wiped meanwhile');
    });
  }

  #isLast(source: Source): boolean {
    return source === this.#sources.at(-1);
  }

  async #recognize(name: string, admin: AcceptorAdmin): Promise<string | undefined> {
    const identity = await admin.identity();
    const known = this.#options.identities[name];
    if (known !== undefined && identity !== known) throw new Error('it lost its data or is another acceptor');
    return identity;
  }

  async #unlessItFails(name: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#failures.set(name, reasonOf(error));
    }
  }
}
