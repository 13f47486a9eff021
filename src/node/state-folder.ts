import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Configuration, EMPTY_CONFIGURATION, parseConfiguration } from '../protocol/configuration.js';

/** The folder holds something that this proposer did not write, or wrote only half. Starting from it could fork the data. */
export class UnusableState extends Error {}

/** What a proposer must not forget, in one folder: its configuration, and how often it was started. */
export class StateFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Empty at the first start. Throws {@link UnusableState} for a torn or foreign file. */
  loadConfiguration(): Configuration {
    return this.#load('configuration.json', parseConfiguration) ?? EMPTY_CONFIGURATION;
  }

  /** Returns once it survives a crash. Throws where it cannot be written; what was there before then stays. */
  saveConfiguration(configuration: Configuration): void {
    this.#save('configuration.json', configuration);
  }

  /**
   * A number higher than at any start before, on disk. The clock counts where it is ahead: a lost folder must not bring numbers back.
   * @param nowMs the system's clock
   */
  raiseIncarnation(nowMs: number): number {
    const stored = this.#load('incarnation.json', (input) => {
      if (!Number.isSafeInteger(input)) throw new TypeError('not an integer');
      return Number(input);
    });
    const incarnation = Math.max((stored ?? 0) + 1, nowMs);
    this.#save('incarnation.json', incarnation);
    return incarnation;
  }

  #load<Content>(name: string, parse: (input: unknown) => Content): Content | undefined {
    const path = join(this.#folder, name);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return parse(JSON.parse(text));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UnusableState(
        `${path} is torn or not ours (${reason}). Put back a copy of it; or remove the file, start this proposer and give it ` +
          'the sets of another in one step: run-control.sh copy OTHER-PROPOSER THIS-PROPOSER.',
      );
    }
  }

  /** A crash at any point leaves the old file or the new one: write and sync a copy, put it in place, sync the folder's entry. */
  #save(name: string, content: unknown): void {
    const path = join(this.#folder, name);
    const copy = `${path}.new`;
    try {
      const file = openSync(copy, 'w');
      try {
        // Not writeSync: on a disk that is nearly full that writes a part, and says so in a number only.
        writeFileSync(file, JSON.stringify(content));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(copy, path);
    } catch (error) {
      rmSync(copy, { force: true });
      throw error;
    }
    const folder = openSync(this.#folder, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}
