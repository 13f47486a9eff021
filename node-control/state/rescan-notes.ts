import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Configuration } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';

/** A rescan that listed all it should and left keys undone. */
export interface Unfinished {
  /** As typed. */
  readonly acceptors: readonly string[];
  readonly required: number;
  /** Of each proposer, by name, since before the first key was listed. */
  readonly configurations: Readonly<Record<string, Configuration>>;
  /** Who was listed, by identity. */
  readonly listed: QuorumSet;
  /** The acceptors that did not list their keys completely, each with the reason. */
  readonly notListed: readonly string[];
  readonly failed: readonly string[];
}

/** What the control node remembers from one rescan to the next. */
export interface RescanNotes {
  /** Undefined if there is nothing, or nothing that can be read: then a rescan does everything. */
  load(): Unfinished | undefined;
  /** False if they cannot be kept. */
  save(unfinished: Unfinished): boolean;
  clear(): void;
}

/** In a file that holds the old notes or the new ones after a crash, never a part. */
export class RescanFile implements RescanNotes {
  readonly #folder: string;
  readonly #path: string;

  /** @param folder of the control node; it need not exist */
  constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, 'rescan.json');
  }

  load(): Unfinished | undefined {
    try {
      const notes = JSON.parse(readFileSync(this.#path, 'utf8')) as Partial<Unfinished> | null;
      const isWhole = notes?.acceptors && notes.configurations && notes.listed && notes.failed && notes.notListed;
      return isWhole ? (notes as Unfinished) : undefined;
    } catch {
      return undefined;
    }
  }

  save(unfinished: Unfinished): boolean {
    const copy = `${this.#path}.new`;
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(copy, JSON.stringify(unfinished), { flush: true });
      renameSync(copy, this.#path);
      return true;
    } catch {
      // The next rescan does everything.
      rmSync(copy, { force: true });
      return false;
    }
  }

  clear(): void {
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // A folder that cannot be written to: the next rescan does what they name once more.
    }
  }
}
