import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/** Adds what failed, a line each, to the file that FAILED_TESTS names: test.sh ends with it, far below the place itself. */
export default class FailedTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { message: string }[], reason: TestRunEndReason): void {
    const path = process.env['FAILED_TESTS'];
    if (path === undefined || reason === 'passed') return;
    const lines = unhandled.map(({ message }) => `unhandled: ${message}`);
    for (const module of modules) {
      // A file that could not be loaded, or a group whose hook failed.
      for (const { message } of module.errors()) lines.push(`${module.relativeModuleId}: ${message}`);
      for (const suite of module.children.allSuites()) {
        for (const { message } of suite.errors()) lines.push(`${module.relativeModuleId}: ${suite.fullName}: ${message}`);
      }
      for (const test of module.children.allTests('failed')) {
        lines.push(`${module.relativeModuleId}: ${test.fullName}: ${test.result().errors?.[0]?.message ?? ''}`);
      }
    }
    appendFileSync(path, lines.map((line) => `  ${line.split('\n')[0] ?? ''}\n`).join(''));
  }
}
