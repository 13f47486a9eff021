import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { CollectionFile, type CollectionNote } from '../../../node-control/state/collection-notes.js';
import { collect } from '../../../node-control/commands/collect.js';
import { overNetwork } from '../../../node-control/nodes/connections.js';
import { Nodes } from '../../../node-control/nodes/nodes.js';
import { ControlError } from '../../../node-control/safety/objection.js';
import { readAddresses } from '../../../src/node/addresses.js';
import { acceptorName, type Cluster, configurationOf } from '../../cluster.js';
import { sharedCluster } from '../../shared-cluster.js';
import { ControlService } from '../control-service.js';

const NAMES = [1, 2, 3].map(acceptorName);
const DIE_AT_WRITE = fileURLToPath(new URL('../die-at-write.mjs', import.meta.url));
/** With the deleted one two messages' worth. */
const KEYS = 149;
/** A slow machine is told how far a collection is, on the same stream. */
const DONE = { code: 0, stderr: expect.not.stringContaining('error') as string };

async function grown(): Promise<Cluster> {
  const cluster = await sharedCluster({ configured: 0 });
  expect((await cluster.control('resize', NAMES.join(','))).code).toBe(0);
  return cluster;
}

/** Leaves a tombstone of one key, and the empty value of the others, in a few messages. @returns how many registers are to be collected */
async function bury(cluster: Cluster): Promise<number> {
  const { admin, kv } = cluster.proposer(1);
  await expect.poll(() => kv.put('deleted', 0, 'v')).toMatchObject({ ok: true });
  await expect.poll(() => kv.delete('deleted')).toMatchObject({ ok: true });
  const keys = Array.from({ length: KEYS }, (_, index) => `k${index}`);
  // A service that collects meanwhile takes eras.
  await expect
    .poll(async () => admin.rescan((await configurationOf(cluster.proposer(1))).era, keys))
    .toMatchObject({ ok: true, body: { failed: [] } });
  return KEYS + 1;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'collections-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function removedIn(notes: readonly CollectionNote[]): number {
  return notes.reduce((sum, { removed }) => sum + removed, 0);
}

it('what a collection had removed when it was ended is noted, under its era, and the next one goes on with the rest', async () => {
  const cluster = await grown();
  const buried = await bury(cluster);
  const file = new CollectionFile(newFolder());
  const connections = overNetwork(readAddresses(cluster.addressMap));
  const nodes = new Nodes(['proposer-1', 'proposer-2'], NAMES, connections, undefined, { collections: file });
  onTestFinished(() => nodes.close());
  const ending = (text: string): void => {
    if (/^removed [1-9]/.test(text)) throw new ControlError('it gave way');
  };
  await expect(collect(nodes, { show: ending })).rejects.toThrow('it gave way');
  const { era } = await configurationOf(cluster.proposer(1));
  const [first, ...others] = file.load();
  expect(others).toEqual([]);
  expect(first?.era).toBe(era);
  expect(first?.removed).toBeGreaterThan(0);
  expect(first?.removed).toBeLessThan(buried);
  await collect(nodes, { show: () => undefined });
  expect(file.load().map((note) => note.era)).toEqual([era, era + 2]);
  expect(removedIn(file.load())).toBe(buried);
  expect(await collect(nodes, { show: () => undefined })).toEqual(['nothing was removed']);
  expect(file.load(), 'a collection that removed nothing is none to tell of').toHaveLength(2);
});

it('a command that SIGKILL ends anywhere: the next one takes up what it left, and the notes are whole', async () => {
  const cluster = await grown();
  const STATE_DIR = newFolder();
  const file = new CollectionFile(STATE_DIR);
  let killed = 0;
  // So that it is met in the look and in what comes after it; tests/node-control/collect.test.ts dies at each write, without a process.
  for (let dieAtWrite = 2, isFinished = false; !isFinished; dieAtWrite += 21) {
    await bury(cluster);
    const dying = { STATE_DIR, NODE_OPTIONS: `--import ${DIE_AT_WRITE}`, DIE_AT_WRITE: String(dieAtWrite) };
    const { code } = await cluster.controlWith(dying, 'collect');
    isFinished = code === 0;
    if (!isFinished) expect(code).toBeNull();
    killed += Number(!isFinished);
    const before = removedIn(file.load());
    const next = await cluster.controlWith({ STATE_DIR }, 'collect');
    expect(next).toMatchObject(DONE);
    const removed = Number(/^(\d+) registers? of deleted keys removed/.exec(next.stdout)?.[1] ?? 0);
    expect(removedIn(file.load()) - before, 'it notes what it says').toBe(removed);
    expect(await cluster.control('collect', '--dry-run')).toMatchObject({ stdout: 'nothing would be removed\n' });
    const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
    expect(one).toEqual(two);
    expect(await cluster.proposer(2).kv.get('deleted')).toMatchObject({ status: 404 });
  }
  expect(killed).toBeGreaterThan(1);
  expect(readdirSync(STATE_DIR)).toEqual(['collections.json']);
});

it('a service that SIGTERM ends in the middle has noted what it removed; a command of the same folder removes the rest', async () => {
  const cluster = await grown();
  const service = await ControlService.start({ ADDRESS_MAP: cluster.addressMap, COLLECT_EVERY: '1s' });
  const file = new CollectionFile(service.stateFolder);
  let buried = 0;
  // Until it has begun to remove: what is buried after that it meets in the middle of its work.
  do {
    buried += await bury(cluster);
  } while (file.load().length === 0);
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(await cluster.controlWith({ STATE_DIR: service.stateFolder }, 'collect')).toMatchObject(DONE);
  expect(await cluster.control('collect', '--dry-run')).toMatchObject({ stdout: 'nothing would be removed\n' });
  expect(removedIn(file.load())).toBeGreaterThan(0);
  expect(removedIn(file.load())).toBeLessThanOrEqual(buried);
});
