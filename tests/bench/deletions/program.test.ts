import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { DeletionsFigures } from '../../../bench/deletions/measure.js';
import { folderOfThisTest, leftIn, startBench } from '../bench-program.js';

const PROGRAM = 'bench/deletions/main.js';

it('creates and deletes beside collections, tells what the acceptors took up, ends by itself and leaves nothing', async () => {
  const folder = folderOfThisTest();
  const json = join(folder, 'figures.json');
  const args = ['--operations', '400', '--keys', '50', '--clients', '8', '--collect-every', '1', '--stretches', '2', '--json', json];
  const { ended, output } = startBench(PROGRAM, folder, ...args);
  expect([await ended, output()]).toEqual([0, expect.stringMatching(/OPERATIONS [^]+\n\d+ registers of deleted keys were removed/)]);
  const figures = JSON.parse(readFileSync(json, 'utf8')) as DeletionsFigures;
  expect(figures.stretches).toHaveLength(2);
  expect(figures.stretches.at(-1)?.operations).toBeGreaterThanOrEqual(400);
  for (const occupancy of Object.values(figures.stretches.at(-1)?.highest ?? {})) {
    expect(occupancy.memoryBytes).toBeGreaterThan(2 ** 20);
    expect(occupancy.fileBytes).toBeGreaterThan(400 * 100);
    expect(occupancy.registers).toBeLessThanOrEqual(50);
  }
  expect(figures.collected).toBeGreaterThanOrEqual(50);
  expect(figures.left).toEqual([0, 0, 0]);
  expect(leftIn(folder)).toEqual(['figures.json']);
});
