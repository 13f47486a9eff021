import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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
  await new Promise((resolve) => second.close(resolve));
});

it('is lost to one that takes its place at the same time, whose file stays, also when the process ends', async () => {
  const path = join(folder, 'raced');
  // A timer of a millisecond comes before the one of the lock's wait, however long the machine stands still: so both are in one process.
  const program = `
    import { existsSync, rmSync, writeFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { lockFolder } from '${new URL('../../../dist/src/node/folder-lock.js', import.meta.url).href}';
    const path = '${path}';
    const ours = lockFolder(path);
    while (!existsSync(path)) await sleep(1);
    rmSync(path);
    writeFileSync(path, 'of the winner');
    await ours.then((server) => server.unref(), ({ message }) => console.log(message));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  expect(stdout).toBe('another process took this state folder at the same time\n');
  expect(readFileSync(path, 'utf8')).toBe('of the winner');
  expect(readdirSync(folder)).toEqual(['raced']);
});
