import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../node-control/commands/commands.js';
import { parse, type Step, typed } from '../../node-control/safety/typed-step.js';

const SCRIPT = fileURLToPath(new URL('../../node-control/run-control.sh', import.meta.url));
const NAMES = COMMANDS.map(({ name }) => name);
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

describe('a command is listed once, and by the others as there:', () => {
  it('run-control.sh lets the same through', () => {
    const [, known = ''] = /^refuse_unknown command "\$1" help -h --help (.*)$/m.exec(readFileSync(SCRIPT, 'utf8')) ?? [];
    expect(sorted(known.split(' '))).toEqual(sorted(NAMES));
  });

  it('run-control.sh --help explains the same', () => {
    const { status, stdout } = spawnSync('bash', [SCRIPT, '--help'], { encoding: 'utf8' });
    expect(status).toBe(0);
    // Each begins a line of its own, or follows another one.
    const lines = stdout.split('\n').filter((line) => /^ {2}[a-z]/.test(line));
    expect(sorted(lines.flatMap(namesIn))).toEqual(sorted(NAMES));
  });

  it('the table of the README explains the same', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const cells = [...readme.matchAll(/^\| (`\.\/run-control\.sh [^|]*(?:\\\|[^|]*)*) \|/gm)].map(([, cell = '']) => cell);
    const found = cells.flatMap((cell) => namesIn(cell.replaceAll('./run-control.sh ', '').replaceAll('\\|', '|').replaceAll('`', '')));
    // That one has scripts of its own, beside which the README explains it.
    expect(sorted([...found, 'wipe-acceptor'])).toEqual(sorted(NAMES));
  });
});

/** The names that a line of an explanation has, in which words in capitals stand for what follows them. */
function namesIn(line: string): string[] {
  const [explained = ''] = line.trim().split(/ {2,}/);
  return explained.split(', ').flatMap((part) => part.split(' ')[0]?.split('|') ?? []);
}

describe('a step', () => {
  const steps: readonly Step[] = [
    { verb: 'add', phase: 'accept', proposers: 'all', acceptor: 'acceptor-2:6379', quorum: 2 },
    { verb: 'rm', phase: 'prepare', proposers: 'proposer-1', acceptor: 'acceptor-2:6379', quorum: 0 },
    { verb: 'rescan', acceptors: ['acceptor-1:6379', 'acceptor-2:6379'], required: 1 },
    { verb: 'resize', acceptors: ['acceptor-3:6379', 'acceptor-1:6379'] },
    { verb: 'copy', from: 'proposer-1', proposers: 'all' },
    { verb: 'wipe', proposers: 'proposer-2' },
    { verb: 'wipe-acceptor', acceptor: 'acceptor-3:6379' },
    { verb: 'collect' },
  ];

  it.each(steps.map((step) => [typed(step), step] as const))('that was typed is read again: %s', (text, step) => {
    expect(parse(text)).toEqual(step);
    expect(NAMES).toContain(text.split(' ')[0]);
  });

  it.each([
    ...['', 'ls', 'add', 'add-accept', 'add-accept all acceptor-2:6379', 'add-accept all acceptor-2:6379 2 2', 'wipe', '__proto__'],
    ...['add-accept all acceptor-2:6379 two', 'rescan acceptor-1:6379 -1', 'resize acceptor-1:6379,', 'resize a,a'],
  ])('is not read from anything else: "%s"', (text) => {
    expect(() => parse(text)).toThrow(TypeError);
  });
});
