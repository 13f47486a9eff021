import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { patched, PatchFailed, ProgramCopy } from '../../../verification/variants/patch.js';
import { VARIANTS } from '../../../verification/variants/variants.js';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const copy = new ProgramCopy(project, mkdtempSync(path.join(project, 'dist', 'variants.test.')));
afterAll(() => copy.remove());

/** A simulation in which no acceptor minds its promise. */
const BROKEN = {
  file: 'src/protocol/memory-acceptor.ts',
  find: 'compareBallots(ballot, register.promise) >= 0 && ',
  put: '',
};

async function simulate(program: string, ...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const output = await promisify(execFile)(process.execPath, [path.join(program, 'verification', 'simulation', 'main.js'), ...words], {
      maxBuffer: 2 ** 28,
    });
    return { code: 0, ...output };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

describe('a patch', () => {
  it.each([
    ['a line that is not there', { ...BROKEN, find: 'no such line' }, /has 0 times/],
    ['a line that is there more than once', { ...BROKEN, find: 'compareBallots' }, /has [2-9] times/],
    ['what does not compile', { ...BROKEN, put: 'const (' }, /does not compile/],
  ])('is refused for %s', (_what, patch, message) => {
    expect(() => copy.becomes([patch])).toThrow(PatchFailed);
    expect(() => copy.becomes([patch])).toThrow(message);
  });

  it('changes the copy alone, until the next one', () => {
    const text = (root: string): string => readFileSync(path.join(root, 'src/protocol/memory-acceptor.js'), 'utf8');
    copy.becomes([BROKEN]);
    expect(text(path.join(project, 'dist'))).toContain('register.promise) >= 0');
    expect(text(copy.folder)).not.toContain('register.promise) >= 0');
    expect(existsSync(path.join(copy.folder, 'node-control/step/step.js'))).toBe(true);
    copy.becomes([{ file: 'src/protocol/quorum.ts', find: 'votes >= set.quorum', put: 'votes >= 1' }]);
    expect(text(copy.folder)).toBe(text(path.join(project, 'dist')));
  });

  it.each(VARIANTS.map((variant) => [variant.name, variant] as const))(
    'still finds its lines: %s',
    (_name, { patches, unguarded = [] }) => {
      expect(patched([...patches, ...unguarded], project).size).toBeGreaterThan(0);
    },
  );
});

it('docs/verification.md lists each variant that is caught, with its seed, its number of seeds, its scenario, and whether a guard is off', () => {
  const page = readFileSync(path.join(project, 'docs', 'verification.md'), 'utf8');
  const listed = [...page.matchAll(/^\| (\S.*?) *\| +(\d+) \| +(\d+) \| [\w ]+\| `([\w ]+)` *\| (guard)? *\|$/gm)];
  const caught = VARIANTS.filter(({ harmless }) => harmless === undefined);
  expect(listed.map(([, ...cells]) => cells.join(' | ')).sort()).toEqual(
    caught.map(({ name, seed, seeds, scenario, unguarded }) => [name, seed, seeds, scenario, unguarded && 'guard'].join(' | ')).sort(),
  );
});

describe('the program', () => {
  it('tells of a violation its seed, the smallest run that shows it with its messages, and how to see it again', async () => {
    copy.becomes([BROKEN]);
    const { code, stdout } = await simulate(copy.folder, '--seeds', '50', '--scenario', 'majority');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^seed \d+: VIOLATION of /m);
    expect(stdout).toMatch(/proposer-\d -> acceptor-\d +accept k\d/);
    const again = /^ {2}npm run simulate -- (--seed .*)$/m.exec(stdout);
    const words = [...String(again?.[1]).matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => String(quoted ?? bare));
    expect(words).toContain('--stop-after');
    const repeated = await simulate(copy.folder, ...words);
    expect(repeated.code).toBe(1);
    const smallest = stdout.slice(stdout.indexOf('Looking for'));
    expect(repeated.stdout).toContain(/^VIOLATION of .*$/m.exec(smallest)?.[0]);
    // As small as it says: that many operations and those that read everything at the end.
    expect(Number(words[words.indexOf('--stop-after') + 1])).toBeLessThan(100);
  });

  it('prints the same run to the byte, in another process, too', async () => {
    copy.becomes([]);
    const words = ['--seed', '42', '--scenario', 'migration', '--trace'];
    const runs = await Promise.all([simulate(copy.folder, ...words), simulate(path.join(project, 'dist'), ...words)]);
    expect(runs[0].code).toBe(0);
    expect(runs[0].stdout).toContain('no violation');
    expect(runs[0].stdout).toBe(runs[1].stdout);
  });

  it('sums up many seeds, without escape codes in a pipe', async () => {
    const { code, stdout, stderr } = await simulate(path.join(project, 'dist'), '--seeds', '20');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^seeds 1 to 20: no violation in 20 runs/);
    expect(stdout + stderr).not.toContain('\u001b');
  });

  it.each([
    ['--seed', 'x'],
    ['--seeds', '-1'],
    ['--seed', '4294967296'],
    ['--scenario', 'none'],
    ['--without', 'gravity'],
    ['--nonsense', ''],
  ])('refuses %s "%s" with 2 and a word', async (option, value) => {
    const { code, stdout, stderr } = await simulate(path.join(project, 'dist'), option, value);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: /);
  });
});
