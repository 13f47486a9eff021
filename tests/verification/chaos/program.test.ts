import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../../dist/verification/chaos/main.js', import.meta.url));

function chaos(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

describe('the chaos program', () => {
  it('explains itself', async () => {
    const { code, stdout } = await chaos('--help');
    expect(code).toBe(0);
    for (const word of ['--minutes', '--docker', '--seed', '--history', 'Exit codes']) expect(stdout).toContain(word);
  });

  it.each([
    ['--minutes', '0'],
    ['--minutes', '-1'],
    ['--minutes', 'two'],
    ['--seed', '4294967296'],
    ['--seed', '1.5'],
    ['--history', 'run.json'],
    ['--history', 'no/such/folder/run.edn'],
    ['--locally', ''],
    ['2', ''],
  ])('starts nothing for %s %s', async (...args) => {
    const { code, stdout, stderr } = await chaos(...args.filter(Boolean));
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('--help');
  });
});
