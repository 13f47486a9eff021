import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { pureTests } from './tests/pure-tests.js';

const pure = pureTests(import.meta.dirname);
// Most tests wait for programs that they started: three files at a time also where there are two cores only.
const maxWorkers = Math.max(3, availableParallelism() - 1);

/** `npx vitest run --project NAME`; without a name all of them. */
export default defineConfig({
  test: {
    // The machine may be busy: a wait costs time only where it is in vain.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/end-to-end/**', ...pure],
          globalSetup: ['tests/build.ts'],
          maxWorkers,
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Many files to a process. By its name it comes after `unit`, as soon as that leaves a worker idle.
        extends: true,
        test: { name: 'unit-pure', include: pure, isolate: false, maxWorkers, testTimeout: 180_000 },
      },
      {
        // Against a cluster of its own: CLUSTER=docker or CLUSTER=local says of which kind.
        extends: true,
        test: {
          name: 'end-to-end',
          include: ['tests/end-to-end/**/*.test.ts'],
          globalSetup: ['tests/end-to-end/one-cluster.ts'],
          fileParallelism: false,
          // An image may have to be built first.
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        // No tests: they make the pictures of docs/page/, and say what a frame of the playground costs.
        extends: true,
        test: {
          name: 'pictures',
          include: ['tests/page/{screenshots,moving-picture,frames}.ts'],
          globalSetup: ['tests/build.ts'],
          testTimeout: 900_000,
        },
      },
    ],
  },
});
