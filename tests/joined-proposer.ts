import { fileURLToPath } from 'node:url';

/** Starts the proposer's program, which build.ts has made one file of with its packages, because that takes less than two thirds of the time. */
export const JOINED_PROPOSER = fileURLToPath(new URL('../dist/tests/proposer.mjs', import.meta.url));
