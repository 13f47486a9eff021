import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { acceptorName, type Cluster, configurationOf } from '../../cluster.js';
import { sharedCluster } from '../../shared-cluster.js';
import { ControlService } from '../control-service.js';

const NAMES = [1, 2, 3].map(acceptorName);
/** The machine may be busy. */
const SOON = { timeout: 30_000 };

/** Three acceptors, and a service that collects each second. */
async function collecting(): Promise<{ cluster: Cluster; service: ControlService }> {
  const cluster = await sharedCluster({ configured: 0 });
  expect((await cluster.control('resize', NAMES.join(','))).code).toBe(0);
  const service = await ControlService.start({ ADDRESS_MAP: cluster.addressMap, COLLECT_EVERY: '1s' });
  await expect.poll(() => service.lines, SOON).toContainEqual(expect.stringContaining('the page is served on port'));
  return { cluster, service };
}

async function bury(cluster: Cluster, prefix: string, count: number): Promise<void> {
  const { kv } = cluster.proposer(1);
  for (let index = 0; index < count; index += 1) {
    const key = `${prefix}${index}`;
    expect(await kv.put(key, 0, 'v')).toMatchObject({ ok: true });
    expect(await kv.delete(key)).toMatchObject({ ok: true });
  }
}

/** How many registers the lines of a log tell to be removed. */
function removed({ lines }: ControlService): number {
  return lines.reduce((sum, line) => sum + Number(/^collection: (\d+) registers? of deleted keys removed/.exec(line)?.[1] ?? 0), 0);
}

describe('the service of the control node', () => {
  it('collects by itself, and tells it', async () => {
    const { cluster, service } = await collecting();
    await expect.poll(() => service.lines, SOON).toContain('collection: nothing was removed');
    expect(service.lines).toContain('deleted keys are collected every 1s');
    await bury(cluster, 'a', 3);
    await expect.poll(() => removed(service), SOON).toBe(3);
    const { era } = await configurationOf(cluster.proposer(2));
    expect(service.lines.some((line) => line.endsWith(`removed (era ${era})`))).toBe(true);
    expect(await cluster.control('collect', '--dry-run')).toMatchObject({ stdout: 'nothing would be removed\n' });
    expect(await cluster.proposer(2).kv.put('a0', 0, 'new')).toMatchObject({ body: { ver: 3 } });
  });

  it('says once that an acceptor or a proposer cannot be reached, changes nothing, and collects when it is back', async () => {
    const { cluster, service } = await collecting();
    const complaint = `no collection: ${NAMES[2]} cannot be reached. Nothing was removed. Start it and run the command again. It is tried again by itself`;
    await cluster.acceptor(3).kill9();
    await expect.poll(() => service.lines.at(-1), SOON).toBe(complaint);
    await bury(cluster, 'b', 2);
    const { era } = await configurationOf(cluster.proposer(1));
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(service.lines.filter((line) => line === complaint)).toHaveLength(1);
    expect(await configurationOf(cluster.proposer(1))).toMatchObject({ era });

    await cluster.proposer(2).end('SIGKILL');
    await expect.poll(() => service.lines.at(-1), SOON).toMatch(/^no collection: proposer-2 cannot be reached/);
    await cluster.proposer(2).start();
    await cluster.acceptor(3).start();
    await expect.poll(() => removed(service), SOON).toBe(2);
  });

  it('is in the way of no command that has the same folder: rescans get to their end while it has something to collect all the time', async () => {
    const { cluster, service } = await collecting();
    const folder = { STATE_DIR: service.stateFolder };
    const over = new AbortController();
    const burying = (async () => {
      for (let round = 0; !over.signal.aborted; round += 1) await bury(cluster, `c${round}-`, 20);
    })();
    for (let rescans = 0; rescans < 4; rescans += 1) {
      // On a machine that stalls it tells its progress, too.
      const { code, stderr } = await cluster.controlWith(folder, 'rescan', NAMES.join(','), '3');
      expect(code, stderr).toBe(0);
    }
    over.abort();
    await burying;
    await expect.poll(() => removed(service), SOON).toBeGreaterThan(20);
  });

  it('does no harm to a command of another control node, nor that one to it', async () => {
    const { cluster, service } = await collecting();
    for (let round = 0; round < 3; round += 1) {
      await bury(cluster, `d${round}-`, 10);
      const commands = [`resize ${NAMES.slice(0, 2).join(',')}`, `wipe-acceptor ${NAMES[2]}`, `resize ${NAMES.join(',')}`];
      const refusal = async (): Promise<string> => {
        for (const command of commands) {
          const { code, stderr } = await cluster.control(...command.split(' '));
          if (code !== 0) return `${command}: ${stderr}`;
        }
        return '';
      };
      // Any of them may be refused, as beside another operator's: a collection that begins in the last writes of a resize owes its rescan anew.
      await expect.poll(refusal, { timeout: 100_000 }).toBe('');
      expect((await cluster.control('rescan', NAMES.join(','), '3')).code).not.toBe(2);
    }
    await expect.poll(async () => (await cluster.control('collect', '--dry-run')).stdout, SOON).toBe('nothing would be removed\n');
    await expect.poll(() => removed(service), SOON).toBeGreaterThan(0);
    for (const key of ['d0-0', 'd2-9']) expect(await cluster.proposer(2).kv.get(key)).toMatchObject({ status: 404 });
  }, 240_000);

  it('ends at once, with nothing to do and in the middle of collections', async () => {
    for (const count of [0, 300]) {
      const { cluster, service } = await collecting();
      const burying = bury(cluster, 'e', count);
      await new Promise((resolve) => setTimeout(resolve, 1_700));
      const stoppedMs = Date.now();
      service.kill('SIGTERM');
      expect(await service.ended).toBe(0);
      expect(Date.now() - stoppedMs).toBeLessThan(5_000);
      await burying;
      expect(await cluster.control('collect')).toMatchObject({ code: 0, stderr: '' });
      expect(await cluster.control('collect', '--dry-run')).toMatchObject({ stdout: 'nothing would be removed\n' });
    }
  });

  it('ends within its grace where an acceptor hangs in the middle of a collection', async () => {
    const { cluster, service } = await collecting();
    cluster.acceptor(2).pause();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const stoppedMs = Date.now();
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
    expect(Date.now() - stoppedMs).toBeLessThan(6_000);
    cluster.acceptor(2).resume();
  });

  it('does not start with an interval that it does not understand, nor without a folder to take turns in', async () => {
    const wrong = await ControlService.start({ COLLECT_EVERY: '60' });
    expect(await wrong.ended).toBe(1);
    expect(wrong.lines).toEqual([
      'COLLECT_EVERY: write a number of seconds, minutes, hours or days, from 1s to 24d, such as 30m or 12h, or nothing, not "60"',
    ]);
    const homeless = await ControlService.start({ COLLECT_EVERY: '60s', STATE_DIR: '' });
    expect(await homeless.ended).toBe(1);
    expect(homeless.lines).toEqual(['COLLECT_EVERY needs STATE_DIR, the folder in which commands take turns with the service']);
  });

  it('does not collect by itself unless it is told to', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    expect((await cluster.control('resize', NAMES.join(','))).code).toBe(0);
    await bury(cluster, 'f', 1);
    const service = await ControlService.start({ ADDRESS_MAP: cluster.addressMap, COLLECT_EVERY: '' });
    await expect.poll(() => service.lines, SOON).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(service.lines).toEqual([expect.stringContaining('the page is served on port')]);
    expect(await cluster.control('collect', '--dry-run')).toMatchObject({ stdout: '1 register of deleted keys would be removed\n' });
  });
});

describe('the start of that service', () => {
  it('makes the folder that it shares with the commands', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'turn-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const service = await ControlService.start({ COLLECT_EVERY: '1h', STATE_DIR: join(folder, 'not there yet') });
    await expect.poll(() => service.lines, SOON).toContain('deleted keys are collected every 1h');
  });

  it('says which variable is no port', async () => {
    const service = await ControlService.start({ PORT: '99999' });
    expect(await service.ended).toBe(1);
    expect(service.lines).toEqual(['PORT must be an integer from 1 to 65535, not "99999"']);
  });
});
