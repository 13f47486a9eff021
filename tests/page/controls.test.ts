import type { Page } from 'playwright-core';
import type { Snapshot } from '../../node-control/page/server/snapshot.js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { visit, type Visit } from './page-cluster.js';
import { untilShown } from './shown.js';

/** The machine may be busy. */
const SOON = { timeout: 20_000 };
const BYTES_MAX = 200_000;
const REQUESTS_MAX = 15;

describe('what a visitor can do on the page', () => {
  let nodes: Visit['nodes'];
  let page: Page;
  let leave: Visit['leave'];

  beforeAll(async () => {
    ({ nodes, page, leave } = await visit());
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(nodes.url);
  });
  afterAll(() => leave());

  test('is loaded with few requests and little weight', async () => {
    await untilShown(page, 'the picture', ({ nodes: drawn }) => drawn.length > 0);
    const loaded = await page.evaluate<{ name: string; size: number }[]>(`
      [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .map(({ name, transferSize }) => ({ name, size: transferSize }))
    `);
    // The stream of pictures and the looks at a key go on for ever.
    const files = loaded.filter(({ name }) => !/\/(events|keys)\b/.test(name));
    expect(files.map(({ name }) => name).length).toBeLessThanOrEqual(REQUESTS_MAX);
    expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(BYTES_MAX);
  });

  test('leads to the playground, which is served under a policy as strict', async () => {
    const href = await page.getByRole('link', { name: 'Playground' }).getAttribute('href');
    const [own, other] = await Promise.all(['', href ?? ''].map((path) => fetch(new URL(path, nodes.url))));
    expect([other?.status, await other?.text()]).toEqual([200, expect.stringContaining('you are the network')]);
    const policy = (response: Response | undefined): string => response?.headers.get('content-security-policy') ?? '';
    expect(policy(other).replace(/ blob: 'sha256-[^']+'/, '')).toBe(policy(own));
    expect(policy(own)).toContain("script-src 'self';");
  });

  test('is drawn by the first message of the control node: no second one is waited for', async () => {
    const { body } = await fetch(`${nodes.url}events`);
    const reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
    let message = '';
    while (!message.includes('\n\n')) message += new TextDecoder().decode((await reader?.read())?.value);
    await reader?.cancel();
    const snapshot = JSON.parse(message.slice('data: '.length, message.indexOf('\n\n'))) as Snapshot;
    // One of the proposers has no quorum.
    const rates = { reads: 0, writes: 0, refused: 7, conflicts: 0, retries: 2, unknown: 0 };
    const proposers = snapshot.proposers.map((proposer, index) => (index === 0 ? { ...proposer, state: 'healthy', rates } : proposer));
    const first = `data: ${JSON.stringify({ ...snapshot, proposers })}\n\n`;
    let asked = 0;
    await page.route('**/events', (route) =>
      (asked += 1) === 1 ? route.fulfill({ contentType: 'text/event-stream', body: first }) : route.abort(),
    );
    onTestFinished(async () => {
      await page.unroute('**/events');
      await page.goto(nodes.url);
    });
    await page.goto(nodes.url);
    await untilShown(page, 'all seven nodes', ({ nodes: drawn }) => drawn.length === 7);
    expect(await page.locator('#proposers tbody tr').first().innerText()).toMatch(/● answers, refuses\s+0\s+0\s+7\s+0\s+2\s/);
  });

  test('copies a command by keyboard, and says so', async () => {
    await untilShown(page, 'how to begin', ({ owed }) => owed.length === 2);
    const button = page.locator('#next .copy').first();
    await button.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => button.innerText(), SOON).toBe('Copied');
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('./run-control.sh add-accept all acceptor-1:6379 1');
    await expect.poll(() => button.innerText(), SOON).toBe('Copy');
  });

  test('selects a command where there is no clipboard', async () => {
    await page.evaluate(`navigator.clipboard.writeText = () => Promise.reject(new Error('not here'))`);
    const button = page.locator('#next .copy').nth(1);
    await button.click();
    await expect.poll(() => button.innerText(), SOON).toBe('Selected');
    expect(await page.evaluate('String(getSelection())')).toBe('./run-control.sh add-prepare all acceptor-1:6379 1');
  });

  test('tells why each step comes next', async () => {
    const why = page.locator('#next details').first();
    await why.locator('summary').focus();
    await page.keyboard.press('Enter');
    await expect
      .poll(() => why.innerText(), SOON)
      .toContain('it joins the accept set first. More: docs/reconfiguration.md, “The steps, and why each is where it is”');
    expect(await page.locator('#next details').count()).toBe(2);
    const opened = page.waitForEvent('popup');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const docs = await opened;
    await expect.poll(() => docs.locator('body').innerText(), SOON).toContain('\n## The steps, and why each is where it is\n');
    // On a screen on which the beginning is all that there is room for, it is at the section.
    await docs.setViewportSize({ width: 800, height: 200 });
    await docs.goto(`${nodes.url}${await why.locator('a').getAttribute('href')}`);
    await expect.poll(() => docs.evaluate<number>('scrollY'), SOON).toBeGreaterThan(0);
    await docs.close();
  });

  test('says which operations go through where acceptors are lost, and is right', async () => {
    await nodes.control('resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379');
    await untilShown(page, 'three', ({ sets }) => sets.join().includes('accept 123: 2 of 3'));
    const consequence = page.locator('#consequence');
    const lost = page.getByRole('group', { name: 'is lost' });
    await lost.getByLabel('acceptor-1').focus();
    await page.keyboard.press('Space');
    await expect
      .poll(() => consequence.innerText(), SOON)
      .toBe(
        'Prepare 2 of 3, accept 2 of 3: serves without acceptor-1, and stops if acceptor-2 or acceptor-3 is lost. Reads and writes go through.',
      );
    await lost.getByLabel('acceptor-3').check();
    await expect.poll(() => consequence.innerText(), SOON).toContain('no quorum answers. No read and no write goes through.');
    const { kv } = nodes.cluster.proposer(1);
    expect(await kv.put('supposed', 0, 'v')).toMatchObject({ ok: true });
    await Promise.all([1, 3].map((number) => nodes.cluster.acceptor(number).kill9()));
    expect(await kv.put('supposed', 1, 'w')).toMatchObject({ ok: false });
    expect(await kv.get('supposed')).toMatchObject({ ok: false });
    await Promise.all([1, 3].map((number) => nodes.cluster.acceptor(number).start()));
    await untilShown(page, 'that it serves', ({ now }) => now.includes('serves on'));
    for (const name of ['acceptor-1', 'acceptor-3']) await lost.getByLabel(name).uncheck();
    await expect.poll(() => consequence.innerText(), SOON).toBe('');
  });

  test('says whether two quorums meet', async () => {
    const consequence = page.locator('#consequence');
    const [asked, took] = ['answers a prepare', 'took a write'].map((name) => page.getByRole('group', { name }));
    await asked?.getByLabel('acceptor-1').check();
    await took?.getByLabel('acceptor-2').check();
    await took?.getByLabel('acceptor-3').check();
    await expect.poll(() => consequence.innerText(), SOON).toMatch(/^acceptor-1: no prepare quorum, since 2 of acceptor-1 and/);
    await asked?.getByLabel('acceptor-2').check();
    await expect
      .poll(() => consequence.innerText(), SOON)
      .toBe('They meet in acceptor-2: a round that asks acceptor-1 and acceptor-2 sees the write that acceptor-2 and acceptor-3 took.');
  });

  test('writes a key through either proposer, and through both: one of them is first', async () => {
    const written = page.locator('#written');
    await page.getByRole('button', { name: 'Write through proposer-2' }).click();
    await expect.poll(() => written.innerText(), SOON).toBe('proposer-2: 201, written, as version 1');
    expect(await nodes.cluster.proposer(1).kv.get('colour')).toMatchObject({ body: { ver: 1, val: 'blue' } });
    await page.getByLabel('value through proposer-1').fill('<b>red</b>');
    await page.getByRole('button', { name: 'Write through all at once' }).focus();
    await page.keyboard.press('Enter');
    const first = 'proposer-1: 200, written, as version 2\n+proposer-2: 409, too late: version 2 is there already, "<b>red</b>"';
    const second = 'proposer-1: 409, too late: version 2 is there already, "blue"\n+proposer-2: 200, written, as version 2';
    await expect.poll(() => written.innerText(), SOON).toMatch(new RegExp(`^(${first}|${second})$`));
    const { body } = await nodes.cluster.proposer(2).kv.get('colour');
    expect(body).toMatchObject({ ver: 2 });
  });

  test('is big on demand: headline, drawing and chart on one screen of a projector', async () => {
    await page.setViewportSize({ width: 1_280, height: 720 });
    const isBig = (): Promise<boolean> => page.evaluate(`document.documentElement.classList.contains('big')`);
    await page.locator('h1').click();
    await page.keyboard.press('f');
    await expect.poll(isBig).toBe(true);
    const bottom = (selector: string): Promise<number> =>
      page.evaluate(`document.querySelector('${selector}').getBoundingClientRect().bottom`);
    for (const selector of ['#now', '#graph svg', '#chart .u-wrap'])
      await expect.poll(() => bottom(selector), SOON).toBeLessThanOrEqual(720);
    expect(await page.evaluate(`getComputedStyle(document.querySelector('#next')).fontSize`)).toBe('20px');
    await page.locator('#big').click();
    expect(await isBig()).toBe(false);
    // Typed into a field it is a letter.
    await page.locator('#key').press('f');
    expect(await isBig()).toBe(false);
    await page.goto(`${nodes.url}?big`);
    expect(await isBig()).toBe(true);
    await page.goto(nodes.url);
  });

  test('is legible on a phone: no letter of the drawing is smaller than 12 px', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    const smallest = `Math.min(...[...document.querySelectorAll('#graph text')].map((text) =>
      parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))`;
    await expect.poll(() => page.evaluate<number>(smallest), SOON).toBeGreaterThanOrEqual(12);
    const isInside = `[...document.querySelectorAll('#graph rect')].every((rect) => {
      const [box, drawing] = [rect, document.querySelector('#graph')].map((one) => one.getBoundingClientRect());
      return box.left >= drawing.left - 1 && box.right <= drawing.right + 1;
    })`;
    expect(await page.evaluate(isInside)).toBe(true);
    expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true);
  });
});
