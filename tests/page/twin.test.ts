import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { START } from '../node-control/spec-commands.js';
import { visit, type Visit } from './page-cluster.js';
import { untilShown } from './shown.js';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
/** The machine may be busy. */
const SOON = { timeout: 20_000 };

describe('a key that is watched on the page', () => {
  let nodes: Visit['nodes'];
  let page: Page;
  let leave: Visit['leave'];
  const complaints: string[] = [];

  beforeAll(async () => {
    ({ nodes, page, leave } = await visit());
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    for (const command of START) await nodes.control(command);
    await nodes.control('resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.goto(nodes.url);
    await untilShown(page, 'three acceptors', ({ now }) => now.includes('serves on with any one acceptor lost'));
  }, 120_000);
  afterAll(() => leave());

  const decided = (): Promise<string> => page.locator('#decided').innerText();
  const moments = (): Promise<string[]> => page.locator('#moments li').allInnerTexts();
  const put = async (proposer: number, ver: number, val: unknown): Promise<void> => {
    expect(await nodes.cluster.proposer(proposer).kv.put('colour', ver, val)).toMatchObject({ ok: true });
  };

  test('tells a write while it is made: who was asked, who answered, which quorum', async () => {
    await page.locator('#watched').focus();
    await page.keyboard.press('Enter');
    await expect
      .poll(() => page.locator('#watching').innerText(), SOON)
      .toBe('proposer-1 and proposer-2 watch colour: no message of it yet: write it.');
    await put(1, 0, '<b>green</b>');
    await expect
      .poll(decided, SOON)
      .toMatch(/^\d+\.\d+\.1: chosen, "<b>green<\/b>", version 1: acceptor-\d and acceptor-\d are an accept quorum, 2 of 3$/);
    const told = (pattern: RegExp) => async (): Promise<number> => (await moments()).filter((text) => pattern.test(text)).length;
    await expect.poll(told(/^.*a\d → p1 accepted [\d.]+, after [\d.]+ ms/), SOON).toBe(3);
    // A prepare asks the third acceptor only where one is late; then its answer comes after the quorum's, as the third of the accept does.
    const prepares = await told(/p1 → a\d prepare/)();
    expect([2, 3]).toContain(prepares);
    await expect.poll(told(/a\d → p1 promise/), SOON).toBe(prepares);
    await expect.poll(told(/; late$/), SOON).toBe(prepares - 1);
    expect(await moments()).toHaveLength(2 * (prepares + 3));
    expect(await page.locator('#drawing').innerText()).toMatch(/colour: "<b>gre…/);
    await put(2, 1, 'blue');
    await expect.poll(decided, SOON).toMatch(/^\d+\.\d+\.2: chosen, "blue", version 2/);
    await expect.poll(() => page.locator('#drawing .node.acceptor.two').count(), SOON).toBe(3);
  });

  test('goes back and forth by keyboard, and follows again', async () => {
    const end = (await moments()).length;
    const moment = (): Promise<string> => page.locator('#moment').inputValue();
    await page.locator('#earlier').focus();
    await page.keyboard.press('Enter');
    await expect.poll(moment, SOON).toBe(String(end - 1));
    expect(await page.locator('#follow').getAttribute('aria-pressed')).toBe('false');
    await page.locator('#moment').focus();
    await page.keyboard.press('Home');
    await expect.poll(moment, SOON).toBe('0');
    await expect.poll(() => page.locator('#drawing').innerText(), SOON).toContain('colour: not told yet');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.locator('#drawing .pill text').allTextContents(), SOON).toEqual(['prepare']);
    await page.locator('#follow').focus();
    await page.keyboard.press('Enter');
    await expect.poll(moment, SOON).toBe(String(end));
  });

  test('shows who is silent', async () => {
    nodes.cluster.acceptor(3).pause();
    try {
      await put(1, 2, 'red');
      await expect.poll(decided, SOON).toContain('chosen, "red", version 3');
      await expect.poll(() => page.locator('#drawing').innerText(), SOON).toMatch(/acceptor-3 ✕ hangs/);
    } finally {
      nodes.cluster.acceptor(3).resume();
    }
    await expect.poll(async () => (await moments()).some((text) => text.includes('a3 → p1 no answer: slow or stopped')), SOON).toBe(true);
  });

  test('is for everybody: axe finds nothing, light, dark and on a phone', async () => {
    await page.evaluate(AXE);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(`axe.run('#twin')`);
      expect(violations.map(({ id, nodes: found }) => [id, found.map(({ html }) => html)])).toEqual([]);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 390, height: 800 });
    await expect.poll(() => page.locator('#drawing svg').getAttribute('viewBox'), SOON).toBe('0 0 370 470');
    expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true);
    const isInside = `[...document.querySelectorAll('#drawing text')].every((text) => {
      const [box, drawing] = [text, document.querySelector('#drawing')].map((one) => one.getBoundingClientRect());
      return box.left >= drawing.left - 1 && box.right <= drawing.right + 1;
    })`;
    expect(await page.evaluate(isInside)).toBe(true);
    await page.setViewportSize({ width: 1280, height: 720 });
  });

  test('is small: the page with it stays within 200 KB', async () => {
    const bytes = await page.evaluate<number>(`
      [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter(({ name }) => !/\\/(events|keys|twin)\\b(?!\\.js)/.test(name))
        .reduce((sum, { transferSize }) => sum + transferSize, 0)
    `);
    expect(bytes).toBeLessThanOrEqual(200_000);
  });

  test('is all that may be pressed: there are no buttons where nobody asked for them', async () => {
    expect(await page.locator('#buttons').isVisible()).toBe(false);
  });

  test('is watched no more when the visitor ends it, and complained of nothing', async () => {
    await page.locator('#unwatch').click();
    await expect.poll(() => page.locator('#watching').innerText(), SOON).toBe('No key is watched.');
    expect(await page.locator('#rounds').isVisible()).toBe(false);
    expect(await nodes.cluster.proposer(1).admin.watched()).toMatchObject({ ok: true, body: null });
    expect(complaints).toEqual([]);
  });
});
