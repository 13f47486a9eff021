import { defineConfig } from 'vitest/config';

/** Not a test: it makes the pictures of docs/page/. */
export default defineConfig({
  test: {
    include: ['tests/page/screenshots.ts'],
    globalSetup: ['tests/build.ts'],
    testTimeout: 300_000,
  },
});
