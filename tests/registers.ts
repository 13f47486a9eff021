import { type Asking, ask } from '../src/protocol/ask.js';
import type { Value } from '../src/protocol/acceptor.js';
import type { ChangeFunction } from '../src/protocol/change.js';
import { Proposer, type ProposerOptions, type RoundOptions } from '../src/protocol/proposer.js';
import { QuorumReader } from '../src/reads/quorum-read.js';
import type { Versioned } from '../src/store/versioned.js';
import { KeyValue } from '../src/store/kv.js';

/** Registers as one proposer sees them, one attempt a call: rounds, and reads without a round. */
export class Registers extends Proposer {
  readonly #reader: QuorumReader;

  constructor(options: ProposerOptions & { readonly asking?: Asking }) {
    super(options);
    this.#reader = new QuorumReader({ proposer: this, asking: ask, ...options });
  }

  get reader(): QuorumReader {
    return this.#reader;
  }

  /** As `change`, but tells only what the register holds then. */
  async apply(key: string, fn: ChangeFunction, options?: RoundOptions): Promise<Value> {
    return (await this.change(key, fn, options)).after;
  }

  read(key: string): ReturnType<QuorumReader['read']> {
    return this.#reader.read(key);
  }
}

/** A key-value store of single attempts: what a `Store` queues and repeats. */
export class Attempts extends KeyValue {
  async get(key: string): Promise<Versioned> {
    return (await this.readByQuorum(key)) ?? this.readByRound(key);
  }

  cas(key: string, ver: number, val: unknown): Promise<Versioned> {
    return this.write(key, { ver, val });
  }

  async rescan(key: string): Promise<void> {
    const [outcome] = await this.runBatch(key, ['rescan']);
    if (outcome instanceof Error) throw outcome;
  }
}
