import { defineConfig } from 'vitest/config';

/** The tests that a mutant of the protocol has to get past, see stryker.config.js: no Redis, no build, less than a second in all. */
const PROTOCOL = [
  'ballot',
  'configuration',
  'gate',
  'kv',
  'memory-acceptor',
  'promises',
  'proposer',
  'quorum',
  'reading-order',
  'strangers',
  'votes',
];

export default defineConfig({
  test: {
    include: PROTOCOL.map((name) => `tests/src/${name}.test.ts`),
  },
});
