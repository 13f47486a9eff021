import { defineConfig } from 'vitest/config';

/** The tests that a mutant of the protocol, the client or the guard has to get past, see stryker.config.js: no Redis, no build, seconds in all, so without the long random one. */
export default defineConfig({
  test: {
    include: [
      'tests/src/{protocol,hedging,reads,store}/*.test.ts',
      'tests/client/{coroutine,final-{check,reading},ledger,outage,reading,within,writer}.test.ts',
      'tests/node-control/safety/{advice,guard,plan}.test.ts',
    ],
    exclude: ['tests/src/store/lost-messages.test.ts'],
  },
});
