import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The page shows two minutes; a service that collects each second has no more to tell in them. */
const NOTES_MAX = 120;

/** One collection that removed something. */
export interface CollectionNote {
  /** When it ended, by the clock of the control node. */
  readonly atMs: number;
  readonly removed: number;
  readonly era: number;
}

/** What the control node's page tells of collections, whoever began them: in a file that the commands and the service share. */
export class CollectionFile {
  readonly #folder: string;
  readonly #path: string;

  /** @param folder of the control node; it need not exist */
  constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, 'collections.json');
  }

  /** The oldest first. */
  load(): readonly CollectionNote[] {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as CollectionNote[];
    } catch {
      return [];
    }
  }

  /** Commands and the service take turns, so nobody else writes meanwhile. What cannot be written is not shown, and no more. */
  add(note: Omit<CollectionNote, 'atMs'>): void {
    const copy = `${this.#path}.${process.pid}`;
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(copy, JSON.stringify([...this.load(), { atMs: Date.now(), ...note }].slice(-NOTES_MAX)));
      renameSync(copy, this.#path);
    } catch {
      // As above. On a full disk there is room for a file without content.
      rmSync(copy, { force: true });
    }
  }
}
