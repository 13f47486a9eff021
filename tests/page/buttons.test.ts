import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { START } from '../node-control/spec-commands.js';
import { visit } from './page-cluster.js';
import { untilShown } from './shown.js';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
/** The machine may be busy. */
const SOON = { timeout: 20_000 };

/** The settings of a service with buttons, and the file that its `fault.sh` writes its arguments to. */
function withButtons(): { env: Record<string, string>; called: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'buttons-'));
  const [token, script, called] = ['token', 'fault.sh', 'called'].map((name) => join(folder, name)) as [string, string, string];
  writeFileSync(token, 'c0ffee\n');
  writeFileSync(script, `#!/bin/sh\necho "$@" >> ${called}\necho done so\n`);
  chmodSync(script, 0o700);
  const env = { CONTROL_BUTTONS: 'on', ADMIN_TOKEN_FILE: token, FAULT_SCRIPT: script };
  return { env, called, remove: () => rmSync(folder, { recursive: true }) };
}

test('the buttons do the next safe step and faults, with the token, and show what would be typed', async () => {
  const { env, called, remove } = withButtons();
  const { nodes, page, leave } = await visit(env);
  try {
    await page.goto(nodes.url);
    const [first = '', second = ''] = START.map((command) => `./run-control.sh ${command}`);
    const step = page.locator('#buttons code').first();
    const told = page.locator('#buttons [role=status]');
    const press = page.getByRole('button', { name: `Do ${first}` });
    await expect.poll(() => step.innerText(), SOON).toBe(first);
    await press.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => told.innerText(), SOON).toBe('The admin token first, please.');
    await page.keyboard.type('wrong');
    await press.click();
    await expect.poll(() => told.innerText(), SOON).toContain('that is not the admin token: nothing was done');
    await page.getByLabel('Admin token').fill('c0ffee');
    await press.click();
    await expect.poll(() => told.innerText(), SOON).toBe(`${first}: done`);
    await expect.poll(() => step.innerText(), SOON).toBe(second);
    await untilShown(page, 'the accept set', ({ sets }) => sets.join().includes('accept 1: 1 of 1'));
    await page.getByRole('combobox', { name: /^Node/ }).selectOption('acceptor-3');
    await page.getByRole('combobox', { name: /^Fault/ }).selectOption('pause');
    await page.getByRole('button', { name: 'Do ./fault.sh pause acceptor-3' }).click();
    await expect.poll(() => told.innerText(), SOON).toBe('./fault.sh pause acceptor-3: done');
    expect([readFileSync(called, 'utf8'), await page.locator('#buttons pre').innerText()]).toEqual(['pause acceptor-3\n', 'done so\n']);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate<{ violations: { id: string }[] }>(`axe.run('#buttons')`);
    expect(violations.map(({ id }) => id)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true);
  } finally {
    await leave();
    remove();
  }
});

test('in Docker faults are only shown', async () => {
  const { env, remove } = withButtons();
  const { nodes, page, leave } = await visit({ ...env, FAULT_SCRIPT: '' });
  try {
    await page.goto(nodes.url);
    await page.getByRole('combobox', { name: /^Fault/ }).selectOption('cut');
    expect(await page.locator('#buttons code').last().innerText()).toBe('./fault.sh cut acceptor-1');
    expect(await page.getByRole('button', { name: /^Do \.\/fault/ }).count()).toBe(0);
    await expect.poll(() => page.getByRole('button', { name: /^Do \.\/run-control/ }).count(), SOON).toBe(1);
  } finally {
    await leave();
    remove();
  }
});
