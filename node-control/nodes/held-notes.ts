import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** For a note that has no words, since there was no room for them. */
const WITHOUT_WORDS = ['This acceptor is HELD: the end of its log says why, and what to do (docs/operations.md, "An acceptor is held").'];

/** @returns what `acceptor/start.sh` says of an acceptor that it holds, line by line; undefined of one that it does not hold */
export type HeldNotes = (acceptor: string) => Promise<readonly string[] | undefined>;

/**
 * What `acceptor/start.sh` has left where its `HELD_NOTE` says. It is about an acceptor that does not answer only: a note stays where what held
 * it was killed.
 *
 * @param folder with a file for each acceptor that is held, named as its host; without one nothing is known
 */
export function heldNotesIn(folder: string | undefined): HeldNotes {
  if (!folder) return () => Promise.resolve(undefined);
  return async (acceptor) => {
    let text: string;
    try {
      text = await readFile(path.join(folder, path.basename(acceptor.replace(/:\d+$/, ''))), 'utf8');
    } catch {
      return undefined;
    }
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.length > 0 ? lines : WITHOUT_WORDS;
  };
}
