import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Seen } from '../../bench/load/load.js';
import { DIST } from '../proposer-process.js';

export interface RunningBench {
  readonly ended: Promise<number | null>;
  readonly output: () => string;
  readonly interrupt: () => void;
}

/** Starts one of the programs of the bench. @param folder for all that it writes */
export function startBench(program: string, folder: string, ...args: string[]): RunningBench {
  const child = spawn(process.execPath, [join(DIST, program), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  // One that a test has not waited for cleans up after itself.
  onTestFinished(() => void child.kill('SIGINT'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { ended, output: () => output, interrupt: () => void child.kill('SIGINT') };
}

/** No error and no answer but what a cluster gives whose machine is busy: these tests are about the bench, others about the cluster. */
export function expectServed({ networkErrors, otherAnswers }: Pick<Seen, 'networkErrors' | 'otherAnswers'>): void {
  expect(networkErrors).toBe(0);
  const late = ['PrepareError', 'ConcurrentRequestError', 'CommitError'];
  expect(Object.keys(otherAnswers).filter((answer) => !late.some((code) => answer.startsWith(code)))).toEqual([]);
}

export function folderOfThisTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function leftIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => !name.startsWith('node-compile-cache'));
}
