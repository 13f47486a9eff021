/**
 * Mutation testing, `npm run mutants`: changes the protocol files, the client's that keep the books, and the guard of the control node, in one place after the other, in a copy, and runs the unit tests. A change
 * that no test notices is listed; docs/mutants.md says why those that are left make no difference.
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  mutate: [
    'src/protocol/*.ts',
    'src/{hedging,reads}/*.ts',
    'src/store/{batch,records}.ts',
    'src/store/kv.ts',
    '!src/protocol/errors.ts',
    'client/{final-check,ledger,reading,within,writer}.ts',
    'node-control/safety/{advice,guard,plan}.ts',
  ],
  testRunner: 'vitest',
  vitest: { configFile: 'tests/mutants.config.ts' },
  // What the tests need, and nothing else of the project.
  ignorePatterns: ['/*', '!src', '!tests', '!verification', '!client', '!node-control', '!package.json', '!tsconfig.json'],
  concurrency: 2,
  // A mutant that loops or waits for ever is killed after this and half as long again as the tests take.
  timeoutMS: 5_000,
  reporters: ['clear-text', 'progress', 'json', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: '.mutants/report.json' },
  htmlReporter: { fileName: '.mutants/report.html' },
  tempDirName: '.mutants/sandbox',
  cleanTempDir: 'always',
  thresholds: { high: 100, low: 95, break: 90 },
};
