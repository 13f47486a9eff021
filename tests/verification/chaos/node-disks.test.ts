import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Scripts } from '../../../verification/chaos/cluster.js';
import { NodeDisks } from '../../../verification/chaos/node-disks.js';

const NODE = 'acceptor-2';
let parent: string;
let disks: NodeDisks;
/** Why there are none here. */
let reason: string | undefined;
let folder: string;

beforeAll(async () => {
  parent = mkdtempSync(path.join(tmpdir(), 'disks-'));
  const scripts = await Scripts.prepare('local');
  folder = path.join(parent, 'cluster', NODE);
  disks = new NodeDisks({ layout: { ...scripts.layout, folder: path.join(parent, 'cluster') }, environment: scripts.environment });
  reason = await disks.mountAll().then(
    () => undefined,
    (error: unknown) => String(error),
  );
});
afterAll(async () => {
  await disks.removeAll();
  rmSync(parent, { recursive: true, force: true });
});

const here = (name: string): string => path.join(folder, name);
function write(name: string, text: string, isSynced: boolean): void {
  const file = openSync(here(name), 'a');
  writeSync(file, text);
  if (isSynced) fsyncSync(file);
  closeSync(file);
}
const nothing = (): Promise<void> => Promise.resolve();

test('say why they cannot be made, or are mounts of their own', ({ skip }) => {
  if (reason !== undefined) {
    expect(reason).toMatch(/root|mount|mkfs|loop/);
    skip(`no disks here: ${reason}`);
  }
  expect(execFileSync('findmnt', ['-no', 'FSTYPE', folder], { encoding: 'utf8' }).trim()).toBe('ext4');
});

test('keep through a power cut what was synced, and nothing that was only written', async ({ skip }) => {
  if (reason !== undefined) skip(reason);
  write('synced', 'kept', true);
  write('grown', 'kept', true);
  write('grown', ' and more', false);
  write('written', 'lost', false);
  const order: string[] = [];
  const note = (what: string) => (): Promise<void> => {
    order.push(`${what}: ${String(existsSync(here('written')))}`);
    return Promise.resolve();
  };
  await disks.cutPower(NODE, note('frozen'), note('killed'));
  expect(order).toEqual(['frozen: true', 'killed: true']);
  expect(readFileSync(here('synced'), 'utf8')).toBe('kept');
  expect(readFileSync(here('grown'), 'utf8')).toBe('kept');
  expect(existsSync(here('written')) ? readFileSync(here('written'), 'utf8') : '').toBe('');
  await disks.cutPower(NODE, nothing, nothing);
  expect(readFileSync(here('synced'), 'utf8')).toBe('kept');
});

test('can be full, and can refuse every write, until they are repaired', async ({ skip }) => {
  if (reason !== undefined) skip(reason);
  write('before', 'kept', true);
  await disks.fill(NODE);
  expect(() => appendFileSync(here('before'), Buffer.alloc(1024 * 1024))).toThrow('ENOSPC');
  writeFileSync(here('held'), '');
  await disks.repair(NODE);
  expect(existsSync(here('held'))).toBe(false);
  const { bavail, blocks } = statfsSync(folder);
  expect(bavail).toBeGreaterThan(blocks / 2);

  await disks.breakFileSystem(NODE);
  expect(() => write('after', 'refused', true)).toThrow('EROFS');
  await disks.repair(NODE);
  write('after', 'taken', true);
  expect(readFileSync(here('before')).subarray(0, 4).toString()).toBe('kept');
});

test('can be slow: a sync takes until they are not any more', async ({ skip }) => {
  if (reason !== undefined) skip(reason);
  await disks.freeze(NODE);
  onTestFinished(() => disks.thawAll());
  const writer = spawn('dd', ['if=/dev/zero', `of=${here('slow')}`, 'bs=512', 'count=1', 'conv=fsync'], { stdio: 'ignore' });
  const ended = once(writer, 'close');
  await sleep(700);
  expect(writer.exitCode).toBeNull();
  await disks.thaw(NODE);
  expect(await ended).toEqual([0, null]);
  expect(readFileSync(here('slow'))).toHaveLength(512);
  // What is not frozen need not be thawed, and may be frozen again.
  await disks.thaw(NODE);
  await disks.freeze(NODE);
  await disks.thawAll();
  write('after', 'taken', true);
});
