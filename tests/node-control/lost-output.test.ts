import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DIST } from '../proposer-process.js';

/** Its exit code and what it says, where its output goes through or to this. */
function typed(program: string, args: string, output: string): [code: string, stderr: string] {
  const command = `"$0" "$1" ${args} ${output}; echo "\${PIPESTATUS[0]}" >&2`;
  const { stderr } = spawnSync('bash', ['-c', command, process.execPath, join(DIST, program)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  const lines = stderr.trimEnd().split('\n');
  return [lines.pop() ?? '', lines.join('\n')];
}

describe('a program whose output is lost', () => {
  it.skipIf(!existsSync('/dev/full')).each([
    ['node-control/main.js', 'ls'],
    ['client/main.js', '--seconds 1'],
    ['verification/simulation/main.js', '--seed 1'],
  ])('says so, and does not end as if all were well: %s', (program, args) => {
    const [code, stderr] = typed(program, args, '> /dev/full');
    expect([code, stderr]).toEqual(['1', expect.stringMatching(/^error: the output cannot be written: .*no space left/m)]);
  });

  it('ends quietly where nobody reads it any more', () => {
    expect(typed('node-control/main.js', 'ls', '| true')).toEqual([expect.stringMatching(/^(0|141)$/), '']);
  });
});
