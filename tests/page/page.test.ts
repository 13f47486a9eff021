import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GROW, SHRINK, START } from '../node-control/spec-commands.js';
import { visit, type Visit } from './page-cluster.js';
import { type Shown, untilShown } from './shown.js';

/** After each command: the sets, a line for each proposer and member, and the first command that is owed next. */
const STEPS: readonly [command: string, prepare: string, accept: string, owed: string | undefined][] = [
  [START[0] ?? '', 'prepare : nobody', 'accept 1: 1 of 1', 'add-prepare all acceptor-1:6379 1'],
  [START[1] ?? '', 'prepare 1: 1 of 1', 'accept 1: 1 of 1', 'resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379'],
  [GROW[0] ?? '', 'prepare 1: 1 of 1', 'accept 12: 2 of 2', 'rescan acceptor-1:6379,acceptor-2:6379 2'],
  [GROW[1] ?? '', 'prepare 1: 1 of 1', 'accept 12: 2 of 2', 'add-prepare all acceptor-2:6379 2'],
  [GROW[2] ?? '', 'prepare 12: 2 of 2', 'accept 12: 2 of 2', 'resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379'],
  [GROW[3] ?? '', 'prepare 12: 2 of 2', 'accept 123: 2 of 3', 'add-prepare all acceptor-3:6379 2'],
  [GROW[4] ?? '', 'prepare 123: 2 of 3', 'accept 123: 2 of 3', undefined],
  [SHRINK[0] ?? '', 'prepare 123: 2 of 3', 'accept 12: 2 of 2', 'rm-prepare all acceptor-3:6379 2'],
  [SHRINK[1] ?? '', 'prepare 12: 2 of 2', 'accept 12: 2 of 2', 'rescan acceptor-1:6379,acceptor-2:6379 2'],
  [SHRINK[2] ?? '', 'prepare 12: 2 of 2', 'accept 12: 2 of 2', 'wipe-acceptor acceptor-3:6379'],
  [SHRINK[3] ?? '', 'prepare 12: 2 of 2', 'accept 1: 1 of 1', 'rm-prepare all acceptor-2:6379 1'],
  [SHRINK[4] ?? '', 'prepare 1: 1 of 1', 'accept 1: 1 of 1', undefined],
];

/** The machine may be busy. */
const SOON = { timeout: 20_000 };

describe('the page, in a browser', () => {
  let nodes: Visit['nodes'];
  let page: Page;
  let leave: Visit['leave'];
  const complaints: string[] = [];

  beforeAll(async () => {
    ({ nodes, page, leave } = await visit());
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      // What it says of a control node that was killed, or refused a key, is its own.
      if (message.type() === 'error' && !/ERR_|status of 400/.test(message.text())) complaints.push(message.text());
    });
    await page.goto(nodes.url);
  });
  afterAll(() => leave());

  test('tells a newcomer how to begin', async () => {
    const { owed } = await untilShown(page, 'the beginning', ({ now, owed }) => now.includes('refused') && owed.length > 0);
    expect(owed).toEqual(START.map((command) => `./run-control.sh ${command}`));
    // On a phone a command is broken between its words, not within.
    const before = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 800 });
    const lines = `[...document.querySelectorAll('#next code span')].map((word) => word.getClientRects().length)`;
    await expect.poll(() => page.evaluate(lines), SOON).toEqual(Array<number>(2 * 3).fill(1));
    if (before) await page.setViewportSize(before);
  });

  test('shows each step of the migration at once, and what is owed next', async () => {
    for (const [command, prepare, accept, owed] of STEPS) {
      await nodes.control(command);
      if (command === START[1]) nodes.startClient();
      const isShown = await untilShown(page, `${prepare} and ${accept}, then ${owed ?? 'nothing'} (after ${command})`, (now) => {
        const isOwed = owed === undefined || now.owed[0] === `./run-control.sh ${owed}`;
        return now.sets.join(', ') === `${prepare}, ${accept}` && isOwed;
      });
      // Two proposers, each with a line to each member.
      const members = (set: string): number => (/^\w+ (\d*):/.exec(set)?.[1]?.length ?? 0) * 2;
      expect(isShown.lines).toMatchObject({ prepare: members(prepare), accept: members(accept) });
    }
    const { events } = await untilShown(page, 'all steps', ({ events }) => events.length >= 10);
    expect(events.filter((event) => event.includes('rescan'))).toHaveLength(2);
  });

  test('shows the clients and the proposers at work', async () => {
    await expect.poll(() => page.locator('#chart').getAttribute('aria-label'), SOON).toMatch(/began [1-9]\d* reads/);
    await expect.poll(() => page.locator('#proposers tbody tr').first().innerText(), SOON).toMatch(/proposer-1\s+● healthy\s+[1-9]/);
    // Its numbers are written in place: what is being read, or was selected, stays.
    const reads = `document.querySelector('#proposers tbody td:nth-child(3)')`;
    const text = await page.evaluate<string>(
      `(window.cell = ${reads}, getSelection().selectAllChildren(window.cell), window.cell.textContent)`,
    );
    await expect.poll(() => page.evaluate(`${reads}.textContent`), SOON).not.toBe(text);
    expect(await page.evaluate(`window.cell === ${reads} && getSelection().anchorNode?.isConnected`)).toBe(true);
  });

  test('tells the chart as a table, too, which stays as it was while it is read', async () => {
    await page.locator('#seconds summary').click();
    const table = page.locator('#seconds table');
    await expect.poll(() => table.locator('tbody').innerText(), SOON).toMatch(/^\d\d:\d\d:\d\d(\t[1-9]\d*){3}\t0\t$/m);
    const before = await table.innerText();
    expect(before).toMatch(/\t–\t\d+\. rescan$/m);
    await page.waitForTimeout(1_500);
    expect(await table.innerText()).toBe(before);
    await page.locator('#seconds summary').click();
  });

  test('names the keys that a rescan has to bring along, which clients that rewrite the others hide', async () => {
    await nodes.control('wipe-acceptor acceptor-2:6379');
    expect((await nodes.cluster.proposer(1).kv.put('untouched', 0, 1)).ok).toBe(true);
    const unspread = page.locator('#unspread');
    expect(await unspread.isVisible()).toBe(false);
    await nodes.control(GROW[0] ?? '');
    await expect.poll(() => unspread.innerText(), SOON).toBe('1 key is on acceptor-1 only: untouched.');
    // Who listens hears of the step once, as a sentence.
    // On a late machine another event may be told with it.
    expect(await page.locator('#told').textContent()).toMatch(/^accept: 2 of acceptors 1 and 2(; acceptor-2 wiped)?$/);
    await nodes.control(GROW[1] ?? '');
    await expect.poll(() => unspread.isVisible(), SOON).toBe(false);
  });

  test('shows what acceptors hold for a key, and marks the chosen value', async () => {
    await nodes.control('wipe-acceptor acceptor-3:6379');
    for (const command of GROW) await nodes.control(command);
    await nodes.stopClient();
    await nodes.cluster.acceptor(3).kill9();
    const { kv } = nodes.cluster.proposer(1);
    expect((await kv.put('looked-at', 0, '<b>bold</b>')).ok).toBe(true);
    await page.locator('#key').fill('looked-at');
    await page.keyboard.press('Enter');
    const rows = page.locator('#register tbody tr');
    await expect
      .poll(() => rows.allInnerTexts(), SOON)
      .toEqual([
        expect.stringMatching(/acceptor-1\s+✓ chosen\s+"<b>bold<\/b>"/),
        expect.stringMatching(/acceptor-2\s+✓ chosen\s+"<b>bold<\/b>"/),
        expect.stringMatching(/acceptor-3\s+does not answer/),
      ]);
    // Who does not see the table hears it once.
    expect(await page.locator('#looked').textContent()).toBe('looked-at: chosen, "<b>bold</b>", on acceptor-1 and acceptor-2');
  });

  test('says what each accepted value is, and where there is none', async () => {
    const held = { promise: '14.2.1.9', ballot: '14.1.1.9', value: '"a"', version: 1 };
    const registers = [
      { ...held, standing: 'older' },
      { ...held, standing: 'minority' },
      { ...held, standing: 'unknown' },
      { ...held, ballot: '', value: '', version: 0, standing: 'unknown' },
    ];
    const views = registers.map((register, index) => ({ acceptor: `acceptor-${index + 1}:6379`, register }));
    await page.route('**/keys?*', (route) => route.fulfill({ json: views }));
    const states = page.locator('#register tbody td:nth-child(2)');
    await expect.poll(() => states.allInnerTexts(), SOON).toEqual(['older', 'not on a quorum', 'not known', 'promise only']);
    await page.unroute('**/keys?*');
  });

  test('says which key the register is of, and why there is none', async () => {
    const look = async (key: string): Promise<void> => {
      await page.locator('#key').fill(key);
      await page.keyboard.press('Enter');
    };
    const register = page.locator('#register');
    for (const key of ['.', '..', 'a/b?c&d=e#f', 'looked-at']) {
      await look(key);
      await expect.poll(() => register.locator('caption').innerText(), SOON).toBe(`The register of ${key}`);
    }
    for (const key of ['ü'.repeat(300), '']) {
      await look(key);
      await expect.poll(() => register.innerText(), SOON).toContain('a key has 1 to 512 bytes');
      expect(await register.locator('table').count()).toBe(0);
      await look('looked-at');
      await expect.poll(() => register.locator('tbody tr').count(), SOON).toBe(3);
    }
  });

  test('leaves a table in place while it tells nothing new', async () => {
    // Where the machine is busy, an acceptor may be late once, which is something new.
    let isInPlace = false;
    for (let attempt = 0; attempt < 3 && !isInPlace; attempt += 1) {
      await page.evaluate(`window.seen = document.querySelector('#register table')`);
      await page.waitForTimeout(2_500);
      isInPlace = await page.evaluate<boolean>('seen.isConnected');
    }
    expect(isInPlace).toBe(true);
  });

  test('fits a phone', async () => {
    const before = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 800 });
    await page.locator('#seconds summary').click();
    await page.locator('#seconds table').waitFor();
    await expect.poll(() => page.locator('#proposers thead th').allInnerTexts(), SOON).toEqual(['proposer', 'proposer-1', 'proposer-2']);
    await expect
      .poll(() => page.locator('#register tbody th').allInnerTexts(), SOON)
      .toEqual(['state', 'value', 'version', 'accepted', 'promise']);
    const tooWide = `[...document.querySelectorAll('html, .scroll')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.id)`;
    expect(await page.evaluate(tooWide)).toEqual([]);
    await page.locator('#seconds summary').click();
    if (before) await page.setViewportSize(before);
    await expect.poll(() => page.locator('#proposers tbody tr').count(), SOON).toBe(2);
  });

  test('shows an acceptor that is lost, what that means, and its return', async () => {
    const meaning = 'serves without acceptor-3, and stops if acceptor-1 or acceptor-2 is lost';
    const isLost = ({ nodes: drawn, now, lines }: Shown): boolean =>
      drawn.includes('acceptor-3✕ gone') && now.includes(meaning) && lines.broken === 4;
    await untilShown(page, 'the loss', isLost);
    // Not by a colour alone.
    expect(await page.locator('#sets th.gone').innerText()).toBe('acceptor-3 ✕ gone');
    expect(await page.locator('#sets .band.lost').count()).toBe(2);
    await nodes.cluster.acceptor(3).start();
    const isBack = ({ now, lines }: Shown): boolean => now.includes('serves on with any one acceptor lost') && lines.broken === 0;
    const { events } = await untilShown(page, 'the return', isBack);
    const ofIt = events.filter((event) => event.includes('acceptor-3')).slice(0, 2);
    expect(ofIt).toEqual([expect.stringContaining('acceptor-3 is back'), expect.stringContaining('acceptor-3 lost')]);
    // The headline told whoever listens: one is enough.
    expect(await page.locator('#told').textContent()).not.toContain('acceptor-3 lost');
    expect(await page.locator('#log').getAttribute('aria-live')).toBe('off');
  });

  test('shows a proposer that is killed, and its return', async () => {
    await nodes.cluster.proposer(2).end('SIGKILL');
    await untilShown(page, 'the loss', ({ nodes: drawn }) => drawn.includes('proposer-2✕ gone'));
    await nodes.cluster.proposer(2).start();
    await untilShown(page, 'the return', ({ nodes: drawn }) => drawn.some((node) => node.startsWith('proposer-2● era')));
  });

  test('tells a proposer that hangs from one that is gone, and who serves meanwhile', async () => {
    nodes.cluster.proposer(2).pause();
    try {
      const meaning = 'proposer-2 does not answer: whoever asks there waits or fails; proposer-1 serves everything';
      const isSeen = ({ now, nodes: drawn }: Shown): boolean => now.includes(meaning) && drawn.includes('proposer-2✕ hangs');
      const { owed } = await untilShown(page, 'that it hangs', isSeen);
      expect(owed).toEqual(['./fault.sh resume proposer-2']);
    } finally {
      nodes.cluster.proposer(2).resume();
    }
    await untilShown(page, 'that it goes on', ({ nodes: drawn }) => drawn.some((node) => node.startsWith('proposer-2● era')));
  });

  test('begins with the way out where no quorum answers', async () => {
    await Promise.all([1, 2].map((number) => nodes.cluster.acceptor(number).kill9()));
    const isOut = ({ now, owed }: Shown): boolean => now.includes('no quorum answers') && owed.length > 0;
    const { owed } = await untilShown(page, 'the way out', isOut);
    expect(owed).toEqual(['./fault.sh start acceptor-1', './fault.sh start acceptor-2']);
    expect(await nodes.cluster.control('status')).toMatchObject({
      stdout: expect.stringMatching(
        /no quorum answers\.\nNo quorum answers\. One of these is enough: \.\/fault\.sh start acceptor-1; /,
      ) as string,
    });
    await Promise.all([1, 2].map((number) => nodes.cluster.acceptor(number).start()));
    await untilShown(page, 'that it serves', ({ now }) => now.includes('serves on'));
  });

  test('can be held and looked back at, and then goes on', async () => {
    const era = (): Promise<string> => page.locator('#graph .node').nth(2).textContent().then(String);
    await page.locator('h1').click();
    await page.keyboard.press('Space');
    expect(await page.locator('#hold').getAttribute('aria-pressed')).toBe('true');
    const before = await era();
    await nodes.control('copy proposer-1 proposer-2');
    await nodes.control('add-accept all acceptor-3:6379 3');
    await expect.poll(() => page.locator('#held span').innerText(), SOON).toMatch(/^held at \d\d:\d\d:\d\d, ([2-9]|\d\d+) s behind$/);
    expect(await era()).toBe(before);
    const heldAt = await page.locator('#held span').innerText();
    await page.locator('#back').focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => page.locator('#held span').innerText(), SOON).not.toBe(heldAt);
    await page.locator('#hold').click();
    await expect.poll(era, SOON).not.toBe(before);
    expect(await page.locator('#held').isVisible()).toBe(false);
    await nodes.control('add-accept all acceptor-3:6379 2');
    await untilShown(page, 'that it is as before', ({ sets }) => sets.join().includes('accept 123: 2 of 3'));
  });

  test('keeps no connection while nobody sees it', async () => {
    const show = (isShown: boolean): Promise<void> =>
      page.evaluate(`
        Object.defineProperty(document, 'hidden', { configurable: true, value: ${!isShown} });
        document.dispatchEvent(new Event('visibilitychange'));
      `);
    const closed = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/events'));
    await show(false);
    await closed;
    await nodes.cluster.proposer(1).end('SIGKILL');
    await page.waitForTimeout(4_000);
    expect(await page.locator('#graph').innerText()).not.toContain('gone');
    expect(await page.locator('#link').innerText()).toBe('live');
    await show(true);
    await untilShown(page, 'the loss', ({ nodes: drawn }) => drawn.includes('proposer-1✕ gone'));
    await nodes.cluster.proposer(1).start();
    await untilShown(page, 'the return', ({ nodes: drawn }) => drawn.some((node) => node.startsWith('proposer-1● era')));
  });

  test('shows that the control node hangs, and goes on when it does', async () => {
    const link = page.locator('#link');
    nodes.pauseService();
    try {
      await expect.poll(() => link.innerText(), SOON).toMatch(/does not answer; this is from \d\d:\d\d:\d\d/);
      // What is left of the picture does not look alive.
      expect(await page.locator('#now').innerText()).toMatch(
        /^Nothing is heard from the control node since .*build-run\.sh starts it again\.$/,
      );
      const opacity = await page.evaluate<string>(`getComputedStyle(document.querySelector('#nodes-title').closest('section')).opacity`);
      expect(Number(opacity)).toBeLessThan(0.5);
      // Nor where it is held meanwhile, and then it is itself again.
      await page.locator('#hold').click();
    } finally {
      nodes.resumeService();
    }
    await expect.poll(() => link.innerText(), SOON).toBe('live');
    await expect.poll(() => page.locator('#now').innerText(), SOON).toContain('serves on');
    await page.locator('#hold').click();
  });

  test('shows that the control node is gone, and goes on when it is back', async () => {
    await nodes.killService();
    await expect.poll(() => page.locator('#link').innerText(), SOON).toContain('does not answer');
    await nodes.startService();
    await expect.poll(() => page.locator('#link').innerText(), SOON).toBe('live');
    await untilShown(page, 'the cluster', ({ now }) => now.includes('serves on'));
  });

  test('has nothing that the browser complains about, and asks nobody else', async () => {
    expect(complaints).toEqual([]);
    const urls = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    expect(urls.filter((url) => !url.startsWith(nodes.url))).toEqual([]);
    expect(readFileSync(new URL('../../node-control/page/browser/index.html', import.meta.url), 'utf8')).not.toMatch(/https?:/);
  });
});
