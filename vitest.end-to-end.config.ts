import { defineConfig } from 'vitest/config';

/** Against a cluster of its own, in Docker or as local processes: CLUSTER=docker|local npx vitest run --config vitest.end-to-end.config.ts */
export default defineConfig({
  test: {
    include: ['tests/end-to-end/**/*.test.ts'],
    fileParallelism: false,
    // An image may have to be built first.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    bail: 1,
  },
});
