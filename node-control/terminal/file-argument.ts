import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgumentError } from 'commander';

/** An option that names a file to be written at the end: that it cannot be is told before the work, not after it. */
export function fileToWrite(file: string): string {
  const folder = dirname(file);
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (!stats) throw new InvalidArgumentError(`There is no folder ${folder}: make it first (mkdir -p), or name a file in another one.`);
  if (!stats.isDirectory()) throw new InvalidArgumentError(`${folder} is no folder.`);
  const present = statSync(file, { throwIfNoEntry: false });
  if (present?.isDirectory()) throw new InvalidArgumentError('It is a folder: name a file in it.');
  try {
    accessSync(present ? file : folder, constants.W_OK);
  } catch {
    throw new InvalidArgumentError(`${present ? 'It' : `The folder ${folder}`} may not be written to: name a file in another one.`);
  }
  return file;
}
