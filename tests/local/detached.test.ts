import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runDetached } from '../../local/detached.js';
import { layoutFrom } from '../../local/layout.js';

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
