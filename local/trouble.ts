/** Something that the user can mend; the message says how. Printed without a stack, and the command exits 1. */
export class Trouble extends Error {}

export function sayWhy(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether `error` is one of the system's, with one of these codes. */
export function isSystemError(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
