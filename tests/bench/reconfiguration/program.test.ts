import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Seen } from '../../../bench/load/load.js';
import { expectServed, folderOfThisTest, leftIn, startBench } from '../bench-program.js';

const PROGRAM = 'bench/reconfiguration/main.js';

it('measures rescans and a migration, writes the figures, ends by itself and leaves nothing', async () => {
  const folder = folderOfThisTest();
  const json = join(folder, 'figures.json');
  const { ended, output } = startBench(
    PROGRAM,
    folder,
    '--keys',
    '100,200',
    '--from',
    '2',
    '--seconds',
    '1',
    '--clients',
    '1',
    '--json',
    json,
  );
  expect([await ended, output()]).toEqual([
    0,
    expect.stringMatching(/RESCAN +100 keys +200 keys[^]+keys per second[^]+MIGRATION[^]+all steps/),
  ]);
  const { rescans, migration } = JSON.parse(readFileSync(json, 'utf8')) as {
    rescans: { keys: number; keysPerSecond: number; clientsMeanwhile: Seen }[];
    migration: { steps: unknown[]; meanwhile: Seen };
  };
  expect(rescans.map(({ keys }) => keys)).toEqual([100, 200]);
  expect(migration.steps).toHaveLength(10);
  for (const seen of [...rescans.map(({ clientsMeanwhile }) => clientsMeanwhile), migration.meanwhile]) expectServed(seen);
  expect(leftIn(folder)).toEqual(['figures.json']);
});

it('cleans up when it is interrupted', async () => {
  const folder = folderOfThisTest();
  const { ended, output, interrupt } = startBench(PROGRAM, folder, '--keys', '200000', '--seconds', '30');
  while (!output().includes('filling')) await new Promise((resolve) => setTimeout(resolve, 50));
  interrupt();
  expect(await ended).toBe(130);
  expect(leftIn(folder)).toEqual([]);
});
