import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createApp } from '../../../../node-control/page/server/app.js';
import { Buttons, buttonsFrom } from '../../../../node-control/page/server/buttons.js';
import { Observer } from '../../../../node-control/page/server/observer.js';
import { settingsFrom } from '../../../../node-control/nodes/settings.js';
import { systemTime } from '../../../../src/store/system-time.js';
import { Cluster, configurationOf } from '../../../cluster.js';
import { type RawAnswer, send } from '../../../raw-http.js';

const TOKEN = 'c0ffee';
const ALLOWED = { authorization: `Bearer ${TOKEN}` };
const folder = mkdtempSync(join(tmpdir(), 'buttons-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The page's server with these buttons, until the test ends. */
async function serve(environment: NodeJS.ProcessEnv, buttons?: Buttons): Promise<(headers: object, body: unknown) => Promise<RawAnswer>> {
  const nodes = settingsFrom(environment);
  const server = createServer(createApp(nodes, new Observer(nodes, systemTime, () => Promise.resolve()), buttons)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return (headers, body) =>
    send(`127.0.0.1:${port}`, { method: 'POST', path: '/commands', headers: { host: 'localhost:8080', ...headers }, body });
}

/** One that says what it was called with. */
function faultScript(body = 'echo "$@"; env | cut -d= -f1 | sort | tr "\\n" " "'): string {
  const script = join(folder, 'fault.sh');
  writeFileSync(script, `#!/bin/sh\n${body}\n`);
  chmodSync(script, 0o700);
  return script;
}

describe('the buttons', () => {
  it('are not there unless the operator wants them', async () => {
    const press = await serve({});
    expect((await press(ALLOWED, { command: './fault.sh kill acceptor-1' })).status).toBe(404);
    expect(buttonsFrom({})).toBeUndefined();
    expect(buttonsFrom({ CONTROL_BUTTONS: 'off' })).toBeUndefined();
  });

  it('are refused where nothing would guard them, or the setting is not understood', () => {
    expect(() => buttonsFrom({ CONTROL_BUTTONS: 'on' })).toThrow('CONTROL_BUTTONS=on needs ADMIN_TOKEN_FILE');
    expect(() => buttonsFrom({ CONTROL_BUTTONS: 'yes' })).toThrow('CONTROL_BUTTONS must be on or off, not "yes"');
  });

  it.each([
    ['without the token', {}, 401],
    ['with another token', { authorization: 'Bearer c0ffeE' }, 401],
    ['with the bare token', { authorization: TOKEN }, 401],
    ['of another page', { ...ALLOWED, origin: 'http://evil.example' }, 403],
    ['of another port', { ...ALLOWED, origin: 'http://localhost:9999' }, 403],
    ['of another site', { ...ALLOWED, 'sec-fetch-site': 'cross-site' }, 403],
    ['that is no JSON', { ...ALLOWED, 'content-type': 'text/plain' }, 403],
    ['to another name', { ...ALLOWED, host: 'evil.example', origin: 'http://evil.example' }, 403],
  ])('do nothing for a request %s', async (_, headers, status) => {
    const script = faultScript(`touch "${join(folder, 'ran')}"`);
    const press = await serve({}, new Buttons(TOKEN, { FAULT_SCRIPT: script }));
    expect((await press(headers, { command: './fault.sh kill acceptor-1' })).status).toBe(status);
    expect((await press(ALLOWED, { command: 'ls' })).status).toBe(409);
    expect(() => rmSync(join(folder, 'ran'))).toThrow('ENOENT');
  });

  it('break and mend local processes by fault.sh, which is given nothing of what the service knows', async () => {
    const environment = { FAULT_SCRIPT: faultScript(), CLUSTER_DIR: folder, PATH: process.env['PATH'], ADMIN_TOKEN_FILE: '/secret' };
    const press = await serve({}, new Buttons(TOKEN, environment));
    const { status, body } = await press(ALLOWED, { command: './fault.sh kill acceptor-1' });
    expect([status, body?.['exitCode']]).toEqual([200, 0]);
    expect(body?.['output']).toMatch(/^kill acceptor-1\n/);
    expect(String(body?.['output'])).toContain('CLUSTER CLUSTER_DIR');
    expect(String(body?.['output'])).not.toContain('TOKEN');
  });

  it.each([
    './fault.sh kill control',
    './fault.sh kill acceptor-1; ls',
    './fault.sh kill acceptor-9',
    './fault.sh cut acceptor-1',
    './fault.sh kill',
    './fault.sh --help acceptor-1',
  ])('do not do %s', async (command) => {
    const press = await serve({}, new Buttons(TOKEN, { FAULT_SCRIPT: faultScript() }));
    expect(await press(ALLOWED, { command })).toMatchObject({ status: 409 });
  });

  it('show only what to type where the control node does not reach fault.sh', async () => {
    const buttons = new Buttons(TOKEN, {});
    expect(buttons.offer).toEqual({ faults: 'type' });
    const press = await serve({}, buttons);
    expect(await press(ALLOWED, { command: './fault.sh kill acceptor-1' })).toMatchObject({ status: 403 });
  });

  it('tell what a command that failed has said', async () => {
    const press = await serve({}, new Buttons(TOKEN, { FAULT_SCRIPT: faultScript('echo "it is dead" >&2; exit 1') }));
    expect(await press(ALLOWED, { command: './fault.sh pause acceptor-1' })).toMatchObject({
      status: 200,
      body: { exitCode: 1, output: 'it is dead\n' },
    });
  });

  it('do one thing at a time', async () => {
    const press = await serve({}, new Buttons(TOKEN, { FAULT_SCRIPT: faultScript('sleep 1') }));
    const answers = await Promise.all([1, 2].map((number) => press(ALLOWED, { command: `./fault.sh kill acceptor-${number}` })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 503]);
  });
});

describe('the button for the next safe step', () => {
  let cluster: Cluster;
  let environment: NodeJS.ProcessEnv;
  beforeAll(async () => {
    cluster = await Cluster.start({ configured: 0 });
    environment = { ADDRESS_MAP: cluster.addressMap, STATE_DIR: folder };
  });
  afterAll(() => cluster.stop());

  it('does what the guard lets pass, and nothing else that is safe to type', async () => {
    const press = await serve(environment, new Buttons(TOKEN, environment));
    const first = './run-control.sh add-accept all acceptor-1:6379 1';
    const second = './run-control.sh add-prepare all acceptor-1:6379 1';
    for (const command of [second, `${first} --force`, './run-control.sh wipe all', './run-control.sh dump', '']) {
      expect([command, (await press(ALLOWED, { command })).status]).toEqual([command, 409]);
    }
    expect((await configurationOf(cluster.proposer(1))).era).toBe(0);
    for (const command of [first, second]) {
      const { status, body } = await press(ALLOWED, { command });
      expect([command, status, body?.['exitCode'], body?.['output']]).toEqual([command, 200, 0, expect.stringMatching(/acceptor-1:6379/)]);
    }
    expect(await configurationOf(cluster.proposer(2))).toMatchObject({ prepare: { quorum: 1 }, accept: { quorum: 1 } });
    // What was the next step is so no more.
    expect(await press(ALLOWED, { command: first })).toMatchObject({ status: 409 });
  });
});
