import { mkdirSync } from 'node:fs';

/** Something that the user can mend; the message says how. Printed without a stack, and the command exits 1. */
export class Trouble extends Error {}

export function sayWhy(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** For whatever the data folder did not take. Node.js says ENOENT, too, where a file system takes no more writes. */
export function unwritable(what: string, why: string): Trouble {
  return new Trouble(
    `cannot ${what}: ${why}. Is its file system there, with room, and may it be written? CLUSTER_DIR names another folder`,
  );
}

/** Makes it, and what it lies in. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw unwritable(`make ${folder}`, sayWhy(error));
  }
}

/** Whether `error` is one of the system's, with one of these codes. */
export function isSystemError(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
