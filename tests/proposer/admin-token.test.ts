import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminClient } from '../../src/http/client.js';
import { Cluster } from '../cluster.js';
import { send } from '../raw-http.js';

const TOKEN = 'c0ffee';
const folder = mkdtempSync(join(tmpdir(), 'token-'));
const file = (name: string, token: string): string => {
  writeFileSync(join(folder, name), `${token}\n`);
  return join(folder, name);
};
let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start({ acceptors: 1, proposers: 1, configured: 0, env: { ADMIN_TOKEN_FILE: file('token', TOKEN) } });
});
afterAll(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

describe('the admin port', () => {
  const paths = ['/configuration', '/configurations', '/identity', '/rescan', '/watch', '/watch/k', '/nowhere', '/'];
  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer c0ffeE' }],
    ['a part of the token', { authorization: 'Bearer c0ffe' }],
    ['a longer token', { authorization: 'Bearer c0ffee0' }],
    ['the bare token', { authorization: TOKEN }],
    ['another scheme', { authorization: `Basic ${TOKEN}` }],
    ['an empty token', { authorization: 'Bearer ' }],
  ])('answers 401 to %s, whatever the path and the method, and does nothing', async (_, headers: Record<string, string>) => {
    for (const path of paths) {
      for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
        const answer = await send(cluster.proposer(1).adminAddress, { method, path, headers, body: { expectedEra: 0, era: 1 } });
        expect([path, method, answer.status, answer.body?.['code']]).toEqual([path, method, 401, 'Unauthorized']);
        expect(answer.headers['www-authenticate']).toBe('Bearer');
        expect(answer.text).not.toContain(TOKEN);
      }
    }
  });

  it('takes who has it: the control node, by the file', async () => {
    const admin = new AdminClient(cluster.proposer(1).adminAddress, TOKEN);
    expect(await admin.configuration()).toMatchObject({ ok: true, body: { era: 0 } });
    await admin.close();
    expect(await cluster.control('status')).toMatchObject({ code: 0 });
  });

  it('of a proposer with another token is named, with what to look at', async () => {
    const { code, stderr } = await cluster.controlWith({ ADMIN_TOKEN_FILE: file('other', 'decade') }, 'dump');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: proposer-1 does not take the token\. ADMIN_TOKEN_FILE must name/)]);
    const missing = await cluster.controlWith({ ADMIN_TOKEN_FILE: '/nowhere' }, 'dump');
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: ADMIN_TOKEN_FILE: ENOENT/) as string });
  });

  it('leaves the public port open', async () => {
    expect((await send(cluster.proposer(1).address, { path: '/healthz' })).status).toBe(200);
  });
});
