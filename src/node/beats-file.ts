import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Beats } from '../store/greeting.js';

/** Several acceptors count at about the same time: one write for all of them. */
const GATHER_MS = 100;
/** Of acceptors that come and go only the last ones are remembered. */
const ACCEPTORS_MAX = 64;

/**
 * What a proposer remembers of the acceptors' counts, in a file. It is written beside the requests, and now and then: one that is a little older
 * than what was heard notices a little less, and says nothing wrong.
 */
export class BeatsFile implements Beats {
  readonly #path: string;
  readonly #isOurs: () => boolean;
  readonly #heard: Map<string, number>;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param isOurs whether the file may still be written: where its folder was moved, another process may have one at this path
   * @param heard what the file holds
   */
  constructor(path: string, isOurs: () => boolean, heard: Readonly<Record<string, number>> = {}) {
    this.#path = path;
    this.#isOurs = isOurs;
    this.#heard = new Map(Object.entries(heard));
  }

  of(identity: string): number {
    return this.#heard.get(identity) ?? 0;
  }

  note(identity: string, beats: number): void {
    // The one that was heard last comes last.
    this.#heard.delete(identity);
    this.#heard.set(identity, beats);
    const [oldest = ''] = this.#heard.keys();
    if (this.#heard.size > ACCEPTORS_MAX) this.#heard.delete(oldest);
    this.#timer ??= setTimeout(() => this.#write(), GATHER_MS);
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    if (this.#timer) this.#write();
    await this.#writing;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // On a disk that is full the file stays as it is; the next count is tried again.
    this.#writing = this.#writing
      .then(() => (this.#isOurs() ? replaceFile(this.#path, JSON.stringify(Object.fromEntries(this.#heard))) : undefined))
      .catch(() => undefined);
  }
}

/** Throws a `TypeError` for what no {@link BeatsFile} wrote. */
export function parseBeats(input: unknown): Record<string, number> {
  const entries = Object.entries(Object(input) as Record<string, unknown>);
  if (typeof input !== 'object' || input === null || !entries.every(([, beats]) => Number.isSafeInteger(beats))) {
    throw new TypeError('not a count for each acceptor');
  }
  return Object.fromEntries(entries.map(([identity, beats]) => [identity, Number(beats)]));
}

/** As the configuration is saved, but no request waits for it. */
async function replaceFile(path: string, text: string): Promise<void> {
  const copy = `${path}.new`;
  const file = await open(copy, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(copy, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
