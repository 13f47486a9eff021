import { fileURLToPath } from 'node:url';

/** The programs that tests start often, by what is compiled of them. */
export const JOINED = {
  proposer: 'proposer/main.js',
  service: 'node-control/page/server/main.js',
  client: 'client/main.js',
} as const;

/** Starts the program that build.ts has made one file of with its packages, because that takes half of the time. */
export function joined(program: keyof typeof JOINED): string {
  return fileURLToPath(new URL(`../dist/tests/${program}.mjs`, import.meta.url));
}
