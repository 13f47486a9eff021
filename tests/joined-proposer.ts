import { fileURLToPath } from 'node:url';

/** The proposer's program in one file with its packages: build.ts makes it, because it starts in half the time. */
export const JOINED_PROPOSER = fileURLToPath(new URL('../dist/tests/proposer.js', import.meta.url));
