import { expect, it } from 'vitest';
import { cpuMs } from '../../bench/cpu.js';

it.runIf(process.platform === 'linux')('grows by what a process computes, to within a few ticks', () => {
  const before = { counted: cpuMs(process.pid), told: process.cpuUsage() };
  while (process.cpuUsage(before.told).user < 300_000);
  const { user, system } = process.cpuUsage(before.told);
  expect(Math.abs(cpuMs(process.pid) - before.counted - (user + system) / 1_000)).toBeLessThan(50);
});

it('is no number where there is no such process', () => {
  expect(cpuMs(2 ** 22 + 1)).toBeNaN();
});
