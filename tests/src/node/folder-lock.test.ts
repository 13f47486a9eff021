import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { FolderInUse, lockFolder } from '../../../src/node/folder-lock.js';

const folder = mkdtempSync(join(tmpdir(), 'lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

function listen(path: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

/** A socket as a killed process leaves it. */
async function leaveDead(path: string): Promise<void> {
  const server = await listen(`${path}.alive`);
  renameSync(`${path}.alive`, path);
  await new Promise((resolve) => server.close(resolve));
}

it('is refused while another one holds it, and to be had after that', async () => {
  const path = join(folder, 'held');
  const first = await lockFolder(path);
  await expect(lockFolder(path)).rejects.toThrow(FolderInUse);
  await first.close();
  const second = await lockFolder(path);
  await second.close();
  expect(readdirSync(folder)).toEqual([]);
});

function workIn(place: string): void {
  const before = process.cwd();
  onTestFinished(() => process.chdir(before));
  process.chdir(place);
}

it('is given back where it was taken, wherever the process works by then, and nothing else is removed', async () => {
  const [here, elsewhere] = ['here', 'elsewhere'].map((name) => join(folder, name));
  for (const place of [here, elsewhere]) mkdirSync(join(place ?? '', 'state'), { recursive: true });
  onTestFinished(() => ['here', 'elsewhere'].forEach((name) => rmSync(join(folder, name), { recursive: true })));
  workIn(here ?? '');
  const lock = await lockFolder(join('state', 'lock'));
  process.chdir(elsewhere ?? '');
  const other = await lockFolder(join('state', 'lock'));
  await lock.close();
  expect(readdirSync(join(here ?? '', 'state'))).toEqual([]);
  expect(other.isInPlace).toBe(true);
  expect(readdirSync(join(elsewhere ?? '', 'state'))).toEqual(['lock']);
  await other.close();
});

it('names the path from the root where it cannot be had, though a socket is reached by the shorter way', async () => {
  workIn(folder);
  await expect(lockFolder(join('missing', 'lock'))).rejects.toThrow(join(folder, 'missing', 'lock'));
});

it('says that its path is too long for a socket, and leaves nothing', async () => {
  const path = join(folder, 'x'.repeat(100));
  await expect(lockFolder(path)).rejects.toThrow(/is \d+ bytes too long for a socket/);
  expect(readdirSync(folder)).toEqual([]);
});

it('is had by one alone of many that begin at once, beside the socket of a process that died', async () => {
  const path = join(folder, 'raced');
  await leaveDead(path);
  const taken = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(path)));
  const refusals = taken.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  expect(refusals).toHaveLength(7);
  for (const refusal of refusals) expect(refusal).toBeInstanceOf(FolderInUse);
  expect(readdirSync(folder)).toEqual(['raced']);
  for (const outcome of taken) if (outcome.status === 'fulfilled') await outcome.value.close();
});

it('is not to be had while another process is about to take it, and is where that one died', async () => {
  const path = join(folder, 'claimed');
  const claim = `${path}~00000a`;
  const other = await listen(claim);
  await expect(lockFolder(path)).rejects.toThrow(FolderInUse);
  expect(readdirSync(folder)).toEqual(['claimed~00000a']);
  await new Promise((resolve) => other.close(resolve));
  await leaveDead(claim);
  const ours = await lockFolder(path);
  expect(readdirSync(folder)).toEqual(['claimed']);
  await ours.close();
});

it('is of one worker of a cluster alone, where the primary gives all of them one socket', async () => {
  const path = join(folder, 'shared');
  // The second one does what a lock does that found no socket there a moment ago.
  const program = `
    import cluster from 'node:cluster';
    import { createServer } from 'node:net';
    import { lockFolder } from '${new URL('../../../dist/src/node/folder-lock.js', import.meta.url).href}';
    if (cluster.isPrimary) {
      cluster.fork().once('message', () => {
        cluster.fork().once('message', (outcome) => {
          console.log(outcome);
          process.exit();
        });
      });
    } else if (cluster.worker.id === 1) {
      await lockFolder('${path}');
      process.send('held');
    } else {
      const server = createServer(() => undefined);
      server.once('error', ({ code }) => process.send(code));
      server.listen('${path}', () => process.send('shared'));
    }
  `;
  const file = join(folder, 'cluster.mjs');
  writeFileSync(file, program);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  expect(stdout).toBe('EADDRINUSE\n');
});
