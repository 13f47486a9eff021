import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LONG, pureTests } from './pure-tests.js';

const project = fileURLToPath(new URL('..', import.meta.url));
const shared = pureTests(project);

describe('the test files that share a process', () => {
  it('are those of the protocol, the reads and the checkers', () => {
    expect(shared).toContain('tests/src/protocol/proposer.test.ts');
    expect(shared).toContain('tests/src/reads/quorum-read.test.ts');
    expect(shared).toContain('tests/verification/checkers/linearizability.test.ts');
  });

  it('leave out what mocks a module, sets a clock, reads one, changes the environment, or starts a program', () => {
    for (const file of ['node/durable-write', 'redis/sender', 'node/state-folder'])
      expect(shared).not.toContain(`tests/src/${file}.test.ts`);
    expect(shared).not.toContain('tests/node-control/nodes/connections.test.ts');
    expect(shared).not.toContain('tests/node-control/terminal/progress.test.ts');
  });

  it('leave out what does that through a file that it imports', () => {
    expect(shared).not.toContain('tests/src/redis/slot.test.ts');
    expect(shared).not.toContain('tests/node-control/migration.test.ts');
  });

  it('leave out the long ones, all of which there are', () => {
    expect(shared.filter((file) => LONG.includes(file))).toEqual([]);
    expect(LONG.filter((file) => !existsSync(join(project, file)))).toEqual([]);
  });
});
