import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../../bench/systems/system.js';
import { ControlSocket } from '../../local/control-socket.js';
import { runDetached } from '../../local/detached.js';
import { runCluster } from '../../local/foreground.js';
import { layoutFrom, portsFrom } from '../../local/layout.js';

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'detached-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a supervisor that ends without a word, since its disk is full, is not the end of all words', async () => {
  const layout = layoutFrom({ CLUSTER_DIR: newFolder() });
  await expect(runDetached(layout, ['-e', 'process.exit(3)'])).rejects.toThrow(
    `the cluster did not start (exit code 3), and why could not be written into ${layout.logs}/supervisor.log: is the disk full?`,
  );
});

test('a folder that cannot be made is said to be so, with the variable that names another one', async () => {
  const file = path.join(newFolder(), 'file');
  writeFileSync(file, '');
  const layout = layoutFrom({ CLUSTER_DIR: path.join(file, 'cluster') });
  await expect(runDetached(layout, [])).rejects.toThrow(
    new RegExp(`^cannot make ${layout.logs}: ENOTDIR.* CLUSTER_DIR names another folder$`),
  );
});

// Root writes what the modes of files forbid, so a folder stands where each file is to be.
test.each(['logs/supervisor.log', 'addresses.json.new', 'secrets'])(
  '%s, which cannot be written, is named with what to do',
  async (name) => {
    const folder = newFolder();
    const layout = layoutFrom({ CLUSTER_DIR: folder });
    if (name === 'secrets') writeFileSync(layout.secrets, '');
    else mkdirSync(path.join(folder, name), { recursive: true });
    const env: Record<string, string | undefined> = { ...process.env, CLUSTER_DIR: folder };
    const variables = portsFrom({}).map(({ variable }) => variable);
    const ports = await freePorts(variables.length);
    for (const [at, variable] of variables.entries()) env[variable] = String(ports[at]);
    const starting = name.startsWith('logs') ? runDetached(layout, []) : runCluster(env, '', 1_000);
    await expect(starting).rejects.toThrow(
      new RegExp(
        `^cannot (make|write) .*${name.replace('.new', '')}: [^]*Is its file system there, with room, and may it be written\\? CLUSTER_DIR names another folder$`,
      ),
    );
  },
);

test('a socket that cannot be made is named with what to do', async () => {
  const socket = path.join(newFolder(), 'missing', 'supervisor.sock');
  await expect(ControlSocket.claim(socket, () => Promise.resolve(''))).rejects.toThrow(
    new RegExp(`^cannot listen on ${socket}: .* CLUSTER_DIR names another folder$`),
  );
});
