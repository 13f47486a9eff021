import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { DIST } from '../../proposer-process.js';

function bench(folder: string, ...args: string[]): { ended: Promise<number | null>; output: () => string; interrupt: () => void } {
  const child = spawn(process.execPath, [join(DIST, 'bench/reconfiguration/main.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { ended, output: () => output, interrupt: () => void child.kill('SIGINT') };
}

function folderOfThisTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it('measures rescans and a migration, writes the figures, ends by itself and leaves nothing', async () => {
  const folder = folderOfThisTest();
  const json = join(folder, 'figures.json');
  const { ended, output } = bench(folder, '--keys', '300,600', '--seconds', '1', '--clients', '8', '--json', json);
  expect([await ended, output()]).toEqual([
    0,
    expect.stringMatching(/RESCAN +300 keys +600 keys[^]+keys per second[^]+MIGRATION[^]+all steps/),
  ]);
  const { rescans, migration } = JSON.parse(readFileSync(json, 'utf8')) as {
    rescans: { keys: number; keysPerSecond: number; clientsMeanwhile: { networkErrors: number; otherAnswers: object } }[];
    migration: { steps: unknown[]; meanwhile: { networkErrors: number; otherAnswers: object } };
  };
  expect(rescans.map(({ keys }) => keys)).toEqual([300, 600]);
  expect(migration.steps).toHaveLength(10);
  for (const { networkErrors, otherAnswers } of [...rescans.map(({ clientsMeanwhile }) => clientsMeanwhile), migration.meanwhile]) {
    expect({ networkErrors, otherAnswers }).toEqual({ networkErrors: 0, otherAnswers: {} });
  }
  expect(leftIn(folder)).toEqual(['figures.json']);
});

it('cleans up when it is interrupted', async () => {
  const folder = folderOfThisTest();
  const { ended, output, interrupt } = bench(folder, '--keys', '200000', '--seconds', '30');
  while (!output().includes('filling')) await new Promise((resolve) => setTimeout(resolve, 50));
  interrupt();
  expect(await ended).toBe(130);
  expect(leftIn(folder)).toEqual([]);
});

function leftIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => !name.startsWith('node-compile-cache'));
}
