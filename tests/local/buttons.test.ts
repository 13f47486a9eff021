import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RawAnswer, send } from '../raw-http.js';
import { CLEANUP_MS, LocalCluster } from './local-cluster.js';

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.prepare();
  cluster.env['CONTROL_BUTTONS'] = 'on';
  await cluster.start();
});
afterAll(() => cluster.remove(), CLEANUP_MS);

const press = (command: string): Promise<RawAnswer> => {
  const token = readFileSync(path.join(cluster.folder, 'secrets/admin-token'), 'utf8').trim();
  const headers = { authorization: `Bearer ${token}` };
  return send(`127.0.0.1:${cluster.port('CONTROL_PORT')}`, { method: 'POST', path: '/commands', headers, body: { command } });
};

test('the buttons of the page kill a local process and start it again, and do the next safe step', async () => {
  expect(await press('./fault.sh kill acceptor-3')).toMatchObject({
    status: 200,
    body: { exitCode: 0, output: 'acceptor-3 killed: it stays dead until "fault.sh start acceptor-3"\n' },
  });
  expect((await cluster.node('acceptor-3')).standing).toBe('held');
  expect(await press('./fault.sh start acceptor-3')).toMatchObject({ status: 200, body: { exitCode: 0, output: 'acceptor-3 started\n' } });
  expect(await press('./run-control.sh add-accept all acceptor-1:6379 1')).toMatchObject({ status: 200, body: { exitCode: 0 } });
  expect(await press('./run-control.sh add-accept all acceptor-2:6379 1')).toMatchObject({ status: 409 });
});
