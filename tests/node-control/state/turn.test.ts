import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { takeTurn, Turns } from '../../../node-control/state/turn.js';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'turn-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function service(folder: string, giveWay: () => Promise<void> = () => Promise.resolve()): Promise<Turns> {
  const turns = new Turns(giveWay);
  const server = await turns.listen(folder);
  onTestFinished(() => void server.close());
  return turns;
}

it('is taken from the moment that the service gave way until it is given back', async () => {
  const folder = newFolder();
  let give = (): void => undefined;
  const turns = await service(folder, () => new Promise((resolve) => (give = resolve)));
  expect(turns.isTaken).toBe(false);
  let isTaken = false;
  const taking = takeTurn(folder).then((giveBack) => {
    isTaken = true;
    return giveBack;
  });
  await expect.poll(() => turns.isTaken).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isTaken).toBe(false);
  give();
  (await taking)();
  await expect.poll(() => turns.isTaken).toBe(false);
});

it('is taken by several commands at once, as ever, until the last of them gives it back', async () => {
  const folder = newFolder();
  const turns = await service(folder);
  const [first, second] = [await takeTurn(folder), await takeTurn(folder)];
  first();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(turns.isTaken).toBe(true);
  second();
  await expect.poll(() => turns.isTaken).toBe(false);
});

it('is free at once where no service collects by itself, and where one that did was killed', async () => {
  const folder = newFolder();
  (await takeTurn(folder))();
  (await takeTurn(join(folder, 'nowhere')))();
});

it('is not waited for without end, where the service is paused', { timeout: 20_000 }, async () => {
  const folder = newFolder();
  const silent = createServer().listen(join(folder, 'turn'));
  await once(silent, 'listening');
  const beganMs = Date.now();
  (await takeTurn(folder))();
  expect(Date.now() - beganMs).toBeGreaterThan(4_500);
  silent.close();
});

it('is kept for one service in a folder', async () => {
  const folder = newFolder();
  await service(folder);
  await expect(service(folder)).rejects.toThrow('another process uses this state folder');
});
