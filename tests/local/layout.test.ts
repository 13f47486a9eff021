import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { layoutFrom, portsFrom } from '../../local/layout.js';
import { NODE_FLAGS } from '../../local/nodes.js';
import { CLEANUP_MS, LocalCluster, ROOT } from './local-cluster.js';

describe('the data folder', () => {
  test('is .cluster in the repository, and a relative one counts from there', () => {
    expect(layoutFrom({}).folder).toBe(path.join(ROOT, '.cluster'));
    expect(layoutFrom({ CLUSTER_DIR: '' }).folder).toBe(path.join(ROOT, '.cluster'));
    expect(layoutFrom({ CLUSTER_DIR: 'another' }).folder).toBe(path.join(ROOT, 'another'));
  });

  test('is one folder under all its names', () => {
    const parent = mkdtempSync(path.join(tmpdir(), 'layout-'));
    const [real, link] = [path.join(parent, 'r'.repeat(100)), path.join(parent, 'link')];
    mkdirSync(real);
    symlinkSync(real, link);
    expect(layoutFrom({ CLUSTER_DIR: link }).socket).toBe(layoutFrom({ CLUSTER_DIR: real }).socket);
    rmSync(parent, { recursive: true });
  });
});

test('the socket is in the data folder, or under a short name of its own where that path is too long', () => {
  expect(layoutFrom({ CLUSTER_DIR: '/data/c' }).socket).toBe('/data/c/supervisor.sock');
  const [one, two] = ['a', 'b'].map((end) => layoutFrom({ CLUSTER_DIR: `/data/${'x'.repeat(100)}${end}` }).socket);
  expect(one).not.toBe(two);
  expect(Buffer.byteLength(one ?? '')).toBeLessThanOrEqual(90);
});

describe('the ports', () => {
  const numbers = (env: Record<string, string>) => portsFrom(env).map(({ port }) => port);

  test('are the agreed ones unless the environment changes them', () => {
    expect(numbers({})).toEqual([16379, 16380, 16381, 8081, 8082, 8091, 8092, 8080, 8070]);
    expect(numbers({ PROPOSER_1_PORT: '9081', ACCEPTOR_2_PORT: '' })).toEqual([16379, 16380, 16381, 9081, 8082, 8091, 8092, 8080, 8070]);
  });

  test.each(['0', '65536', '-1', '80.5', '1e3', 'http', ' 80'])('"%s" is none', (text) => {
    expect(() => portsFrom({ ACCEPTOR_3_PORT: text })).toThrow(`ACCEPTOR_3_PORT=${text} is not a port`);
  });

  test('differ from each other', () => {
    expect(() => portsFrom({ PROPOSER_1_PORT: '8082' })).toThrow('PROPOSER_1_PORT and PROPOSER_2_PORT are both 8082');
  });
});

describe('a long path with spaces', () => {
  let cluster: LocalCluster;
  afterEach(() => cluster.remove(), CLEANUP_MS);

  test('is a data folder like any other', async () => {
    cluster = await LocalCluster.prepare(`a folder with ${'a long name '.repeat(8)}`.trim());
    await cluster.start();
    expect((await cluster.run('running')).code).toBe(0);
    const second = cluster.launch();
    expect(await second.ended()).toBe(1);
    expect(second.stderr).toContain('already runs');
  });
});

test('the commands of the control node run with the flags of the nodes', () => {
  const script = readFileSync(path.join(ROOT, 'node-control/scripts/cluster.sh'), 'utf8');
  expect(script).toContain(`node ${NODE_FLAGS.join(' ')} "$root/dist/node-control/main.js"`);
});
