import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { FolderInUse, lockFolder } from '../../../src/node/folder-lock.js';

const folder = mkdtempSync(join(tmpdir(), 'lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('is refused while another one holds it, and to be had after that', async () => {
  const path = join(folder, 'held');
  const first = await lockFolder(path);
  await expect(lockFolder(path)).rejects.toThrow(FolderInUse);
  await new Promise((resolve) => first.close(resolve));
  const second = await lockFolder(path);
  second.close();
});

it('is lost to one that takes its place at the same time, whose socket stays', async () => {
  const path = join(folder, 'raced');
  const ours = lockFolder(path);
  // A timer of a millisecond comes before the one of the lock's wait, however long the machine stands still.
  while (!existsSync(path)) await sleep(1);
  rmSync(path);
  const theirs = createServer((socket) => socket.end('theirs')).listen(path);
  await expect(ours).rejects.toThrow('at the same time');
  const said = await new Promise((resolve, reject) =>
    connect(path)
      .once('data', (data) => resolve(String(data)))
      .once('error', reject),
  );
  expect(said).toBe('theirs');
  theirs.close();
});
