import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // These need a cluster each, see vitest.end-to-end.config.ts.
    exclude: ['tests/end-to-end/**'],
    globalSetup: ['tests/build.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
