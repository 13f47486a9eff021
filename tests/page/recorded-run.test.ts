import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patched, ProgramCopy } from '../../verification/variants/patch.js';
import { VARIANTS } from '../../verification/variants/variants.js';
import { launchBrowser } from './browser.js';
import { servePlayground } from './playground-server.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** The machine may be busy. */
const SOON = { timeout: 30_000 };

/** A rule that a seed shows to be broken. */
const BROKEN = VARIANTS.find(({ playground }) => playground?.id === 'promise');
const PATCHES = BROKEN?.patches ?? [];

/** What the simulation prints of a program in which that rule is broken. */
async function told(...words: string[]): Promise<string> {
  const copy = new ProgramCopy(PROJECT, join(PROJECT, 'dist', `broken.${process.pid}`));
  try {
    copy.becomes(PATCHES);
    const program = join(copy.folder, 'verification', 'simulation', 'main.js');
    return await new Promise((resolve) => execFile(process.execPath, [program, ...words], (_error, stdout) => resolve(stdout)));
  } finally {
    copy.remove();
  }
}

describe('a run of the simulation, in a browser', () => {
  let close: () => void;
  let browser: Browser;
  let url: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    ({ url, close } = await servePlayground());
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    close();
  });

  /** @param files of dist/ that are other ones than those that were built */
  const open = async (address: string, files: ReadonlyMap<string, string> = new Map()): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    for (const [file, body] of files)
      await context.route(`**/dist/${file}`, (route) => route.fulfill({ body, contentType: 'text/javascript' }));
    const page = await context.newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(`${url}${address}`);
    await page.locator('body.ready').waitFor(SOON);
    return page;
  };
  const at = (page: Page): Promise<string> => page.locator('#at').innerText();
  const shown = (page: Page): Promise<string> =>
    page.evaluate<string>(`['#drawing', '#parcels', '#bars', '#moves'].map((place) => document.querySelector(place).innerText).join()`);

  test('of a seed that fails: its link opens the same run of the same program, with the same violation', async () => {
    const output = await told('--scenario', BROKEN?.scenario ?? '', '--seed', String(BROKEN?.seed), '--seeds', '1');
    const link = /^ {2}\/playground\/(#simulate=\S+)$/m.exec(output)?.[1] ?? '';
    // Of the smaller run that shows it.
    const violations = new Set(output.slice(output.indexOf('Looking for')).match(/VIOLATION of .*/g));
    const lines = output.split('\n').filter((line) => /^ *(\d+\.\d|never) {2}/.test(line));
    expect([link.length > 20, violations.size > 0, lines.length > 20]).toEqual([true, true, true]);

    const page = await open(link, patched(PATCHES, PROJECT));
    expect(await page.locator('#verdict').innerText()).toBe('✕ not linearizable');
    for (const violation of violations) expect(await page.locator('#why').innerText()).toContain(violation);
    expect(await page.locator('tr.culprit').count()).toBe(1);
    expect(await at(page)).toBe(`${lines.length} of ${lines.length}`);
    const moves = await page.locator('#moves li span').allInnerTexts();
    const words = (line: string): string => line.replace(' ms', '').replace('→', '->').split(/\s+/).filter(Boolean).join(' ');
    expect(moves.slice(1).map(words)).toEqual(lines.map(words).slice(-moves.length + 1));
    await page.context().close();

    // The program as it is does not do it; where the page switches the same rule off, it does.
    const sound = await open(link);
    expect(await sound.locator('#now').innerText()).toContain('no violation');
    await sound.getByLabel(BROKEN?.name ?? '').click();
    await expect.poll(() => sound.locator('#now').innerText(), SOON).toContain('the judge says why');
    expect(new URL(sound.url()).hash).toContain('&off=promise');
    await sound.context().close();
  });

  test('of a seed that passes: says so, goes back and forth, and its address leads to the same moment in another profile', async () => {
    const page = await open('#simulate=stepwise_resize&seed=2&stop-after=8');
    expect(await page.locator('#now').innerText()).toBe('A run of the simulation, step by step: no violation.');
    const [end = 0] = (await at(page)).split(' of ').map(Number);
    expect(end).toBeGreaterThan(100);
    await page
      .locator('#moves')
      .getByRole('button', { name: `Go to move ${end - 40}`, exact: true })
      .click();
    await expect.poll(() => at(page), SOON).toBe(`${end - 40} of ${end}`);
    const before = await shown(page);
    await page.locator('#step').click();
    await expect.poll(() => at(page), SOON).toBe(`${end - 39} of ${end}`);
    expect(await shown(page)).not.toBe(before);
    await page.locator('#back').click();
    await expect.poll(() => at(page), SOON).toBe(`${end - 40} of ${end}`);
    expect(await shown(page)).toBe(before);
    await expect.poll(() => page.url(), SOON).toContain(`#simulate=stepwise_resize&seed=2&stop-after=8&at=${end - 40}`);
    const other = await open(new URL(page.url()).hash);
    expect(await shown(other)).toBe(before);
    // Nothing in it can be moved, and there is nothing to move it with.
    for (const place of ['#clients', '#nodes', '#operator', '#surprise', '#parcels button'])
      expect(await other.locator(place).filter({ visible: true }).count()).toBe(0);
    await other.getByRole('button', { name: 'the next seed ▶' }).click();
    await expect.poll(() => new URL(other.url()).hash, SOON).toBe('#simulate=stepwise_resize&seed=3&stop-after=8');
    await Promise.all([page, other].map((each) => each.context().close()));
  });

  test.each([
    ['simulate=peace&seed=1', 'there is no scenario peace'],
    ['simulate=majority&seed=one', 'not a number: one'],
    ['simulate=majority&seed=1&without=rain', 'there is no fault rain'],
  ])('says of the address %s what is wrong with it', async (address, why) => {
    const page = await open(`#${address}`);
    expect(await page.locator('#told').innerText()).toBe(`This address cannot be opened: ${why}`);
    await page.context().close();
  });

  test('complains of nothing on the way', () => {
    expect(complaints).toEqual([]);
  });
});
