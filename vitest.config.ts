import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // These need a cluster each, see vitest.end-to-end.config.ts.
    exclude: ['tests/end-to-end/**'],
    globalSetup: ['tests/build.ts'],
    // Most tests wait for programs that they started: three files at a time also where there are two cores only.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    testTimeout: 180_000,
    hookTimeout: 60_000,
    // The machine may be busy: a wait costs time only where it is in vain.
    expect: { poll: { timeout: 15_000 } },
  },
});
