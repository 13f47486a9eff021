import { randomInt } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Configuration, EMPTY_CONFIGURATION } from '../protocol/configuration.js';
import { parseConfiguration } from '../store/parse-configuration.js';
import type { ProposerState } from '../store/options.js';
import { BeatsFile, parseBeats } from './beats-file.js';
import { type FolderLock, lockFolder } from './folder-lock.js';

/** Two starts that find the same number on disk, since a copy was put back, draw different ones. */
const INCARNATIONS_SKIPPED_MAX = 2 ** 20;

const BEATS = 'beats.json';
const TORN_BEATS = 'Remove the file: all that is lost with it is what would show that the disk of an acceptor went back.';
/** A copy may be from before the last change of the sets, and would bring back quorums that miss those of the others. */
const TORN = 'Put back no copy of it. Remove the file, start this proposer and give it the sets of another in one step.';

const MOVED = 'Stop this proposer, put its folder back, and start it again.';

/** The folder holds something that this proposer did not write, or wrote only half. Starting from it could fork the data. */
export class UnusableState extends Error {
  /** Whether this proposer has to be given the sets of another one, once the file is removed. */
  readonly needsSets: boolean;

  constructor(message: string, needsSets: boolean) {
    super(message);
    this.needsSets = needsSets;
  }
}

/**
 * Opens the folder of one proposer, makes it if it is not there, and keeps every other process out of it until the state is closed or this
 * process ends. Raises the incarnation.
 * @throws UnusableState for a torn or foreign file; an `Error` if another process uses the folder, or it cannot be written
 */
export async function stateFolder(path: string): Promise<ProposerState> {
  const folder = resolve(path);
  const files = new StateFolder(folder);
  const lock = await lockFolder(join(folder, 'lock'));
  try {
    return opened(files, lock, folder);
  } catch (error) {
    // Who mends the file can open the folder again.
    await lock.close();
    throw error;
  }
}

function opened(files: StateFolder, lock: FolderLock, folder: string): ProposerState {
  let configuration = files.loadConfiguration();
  const beats = files.openBeats(() => lock.isInPlace);
  return {
    get configuration() {
      return configuration;
    },
    incarnation: files.raiseIncarnation(Date.now()),
    beats,
    saveConfiguration(next) {
      // Another proposer may have what is at this path now: two with the sets of one, or one file that both write at once.
      if (!lock.isInPlace) throw new Error(`${folder} is not the folder that this proposer opened: it was moved or removed. ${MOVED}`);
      files.saveConfiguration(next);
      configuration = next;
    },
    async close() {
      await beats.close();
      await lock.close();
    },
  };
}

/** What a proposer must not forget, in one folder: its configuration, how often it was started, and what it heard from acceptors. */
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

  /** Returns once it survives a crash. Throws if it cannot be written; what was there before then stays. */
  saveConfiguration(configuration: Configuration): void {
    this.#save('configuration.json', configuration);
  }

  /**
   * A number higher than at any start before, on disk. The clock counts if it is ahead: a lost folder, or one that was put back, must not bring
   * numbers back. Where it is behind, chance sees to it that a folder which was put back does not.
   * @param nowMs the system's clock
   */
  raiseIncarnation(nowMs: number): number {
    const stored = this.#load('incarnation.json', (input) => {
      if (!Number.isSafeInteger(input)) throw new TypeError('not an integer');
      return Number(input);
    });
    const incarnation = stored === undefined || nowMs > stored ? nowMs : stored + 1 + randomInt(INCARNATIONS_SKIPPED_MAX);
    this.#save('incarnation.json', incarnation);
    return incarnation;
  }

  /** @param isOurs whether the folder still is the one that was opened */
  openBeats(isOurs: () => boolean): BeatsFile {
    return new BeatsFile(join(this.#folder, BEATS), isOurs, this.#load(BEATS, parseBeats));
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
      const needsSets = name !== BEATS;
      throw new UnusableState(`${path} is torn or not ours (${reason}). ${needsSets ? TORN : TORN_BEATS}`, needsSets);
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
