// Prints the name of each failed test in vitest's JSON reports, with the first line of its error.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

for (const report of process.argv.slice(2).filter((path) => existsSync(path))) {
  for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) {
    const tests = file.assertionResults.filter(({ status }) => status === 'failed');
    // A file that could not be loaded, or whose hook failed, has no failed test.
    if (tests.length === 0 && file.status === 'failed') tests.push({ fullName: '(the file itself)', failureMessages: [file.message] });
    for (const { fullName, failureMessages } of tests) {
      console.log(`  ${relative('.', file.name)}: ${fullName}: ${failureMessages[0]?.split('\n')[0] ?? ''}`);
    }
  }
}
