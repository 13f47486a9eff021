import type { Floor } from '../protocol/acceptor.js';
import type { Memory } from '../protocol/memory-acceptor.js';
import type { AcceptorAdmin, Copied, Remains, Tombstone } from './acceptor-admin.js';
import { erase, raiseFloor, remainsIn } from './memory-collection.js';
import type { Holding } from './holding.js';
import { acceptedIn, copyInto, holdingIn } from './memory-copying.js';
import { forgetAll, type GreetedMemory } from './memory-greeting.js';

/** The connections that each acceptor has open. */
const open = new WeakMap<Memory, Set<MemoryAdmin>>();

/** Closes all connections to an acceptor, as its crash does. */
export function disconnectAll(memory: Memory): void {
  open.delete(memory);
}

/** An acceptor in memory, for simulations and tests. Each method does its work before it returns its promise. */
export class MemoryAdmin implements AcceptorAdmin {
  readonly #memory: GreetedMemory;
  readonly #pageKeys: number;

  /** @param pageKeys how many keys are listed at a time */
  constructor(memory: GreetedMemory, pageKeys = 1_000) {
    this.#memory = memory;
    this.#pageKeys = pageKeys;
  }

  async connect(): Promise<void> {
    const connections = open.get(this.#memory) ?? new Set();
    open.set(this.#memory, connections.add(this));
  }

  async *keys(): AsyncGenerator<string[]> {
    const keys = [...this.#connected().registers.keys()];
    for (let at = 0; at < keys.length; at += this.#pageKeys) {
      this.#connected();
      yield keys.slice(at, at + this.#pageKeys);
    }
  }

  async size(): Promise<number> {
    return this.#connected().registers.size;
  }

  /** A promise is never below the accepted ballot. */
  async highestEra(): Promise<number> {
    const { registers, floor } = this.#connected();
    return Math.max(floor?.era ?? 0, ...[...registers.values()].map(({ promise }) => promise.era));
  }

  async identity(): Promise<string | undefined> {
    return this.#connected().identity;
  }

  async eras(): Promise<ReadonlyMap<number, number>> {
    return new Map(this.#connected().eras);
  }

  async adopt(identity: string): Promise<string> {
    this.#closeOthers();
    delete this.#memory.eras;
    return (this.#memory.identity ??= identity);
  }

  async wipe(whose?: { readonly identity: string | undefined }): Promise<number> {
    this.#closeOthers();
    if (whose && whose.identity !== this.#memory.identity) throw new Error('it joined under a new identity meanwhile');
    const { size } = this.#memory.registers;
    forgetAll(this.#memory);
    return size;
  }

  async floor(): Promise<Floor> {
    return this.#connected().floor ?? { era: 0, version: 0 };
  }

  async raiseFloor(floor: Floor): Promise<void> {
    raiseFloor(this.#connected(), floor);
  }

  async remains(keys: readonly string[]): Promise<(Remains | undefined)[]> {
    return keys.map((key) => remainsIn(this.#connected(), key));
  }

  async erase(era: number, tombstones: readonly Tombstone[]): Promise<number> {
    return erase(this.#connected(), era, tombstones);
  }

  async holdings(keys: readonly string[]): Promise<Holding[]> {
    return keys.map((key) => holdingIn(this.#connected(), key));
  }

  async accepted(keys: readonly string[]): Promise<(Copied | undefined)[]> {
    return keys.map((key) => acceptedIn(this.#connected(), key));
  }

  async copy(era: number, registers: readonly Copied[]): Promise<string[]> {
    return registers.map((register) => copyInto(this.#connected(), era, register));
  }

  close(): void {
    open.get(this.#memory)?.delete(this);
  }

  #connected(): GreetedMemory {
    if (!open.get(this.#memory)?.has(this)) throw new Error('the connection is closed');
    return this.#memory;
  }

  #closeOthers(): void {
    open.set(this.#connected(), new Set([this]));
  }
}
