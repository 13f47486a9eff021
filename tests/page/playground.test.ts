import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEVELS } from '../../playground/levels/levels.js';
import { addressOf, USUAL_CLUSTER } from '../../playground/stage/run.js';
import { launchBrowser } from './browser.js';
import { servePlayground } from './playground-server.js';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
/** The machine may be busy. */
const SOON = { timeout: 30_000 };

describe('the playground, in a browser', () => {
  let close: () => void;
  let browser: Browser;
  let page: Page;
  let url: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    ({ url, close } = await servePlayground());
    browser = await launchBrowser();
    page = await open();
  });
  afterAll(async () => {
    await browser.close();
    close();
  });

  /** In a profile of its own. */
  const open = async (address = '', width = 1280): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width, height: 900 } });
    const opened = await context.newPage();
    opened.on('pageerror', ({ message }) => complaints.push(message));
    opened.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await opened.goto(`${url}${address}`);
    await opened.locator('body.ready').waitFor(SOON);
    return opened;
  };
  const shown = (of: Page): Promise<string> =>
    of.evaluate<string>(`document.querySelector('#moves').innerText + document.querySelector('#bars').innerText`);
  const isBroken = (of: Page): Promise<string> => of.locator('#verdict').innerText();

  test('says what to do first, and does it by keyboard alone: a write goes through', async () => {
    expect(await page.locator('#now').innerText()).toContain('Let a client ask for something, then click its messages');
    // Nothing has happened yet.
    expect(await page.locator('#told').innerText()).toBe('');
    await page.getByRole('button', { name: 'cas 0 "red", through proposer 1' }).focus();
    await page.keyboard.press('Enter');
    const parcels = page.locator('#parcels li[data-parcel]');
    await expect.poll(() => parcels.count(), SOON).toBe(3);
    // What is pressed is gone then, and the next one has the focus.
    await parcels
      .first()
      .getByRole('button', { name: /^Deliver message/ })
      .focus();
    for (let move = 0; move < 12; move += 1) {
      const before = await page.locator('#at').innerText();
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('#at').innerText(), SOON).not.toBe(before);
    }
    expect(await page.locator('#bars').innerText()).toContain('written, version 1');
    expect(await page.locator('#told').innerText()).not.toBe('');
  });

  test('goes back in time, and on in another way', async () => {
    await page.locator('#moves').getByRole('button', { name: 'Go to move 1', exact: true }).click();
    await expect.poll(() => page.locator('#at').innerText(), SOON).toBe('1 of 13');
    await page.locator('#drawing [data-parcel="2"]').click();
    await expect.poll(() => page.locator('#at').innerText(), SOON).toBe('2 of 2');
    expect(await page.locator('#moves').innerText()).toContain('p1 → a2  prepare k 1.1.1.1');
  });

  test('an address shows the same run in another profile, to the letter', async () => {
    await expect.poll(() => page.url(), SOON).not.toContain('at=');
    const other = await open(new URL(page.url()).hash);
    expect(await shown(other)).toBe(await shown(page));
    await other.context().close();
  });

  test.each(LEVELS.filter(({ isLosable }) => isLosable))(
    'level $id is solved by its choices',
    async ({ id, cluster, off, opening, solution }) => {
      const address = addressOf({ cluster, seed: 1, off, choices: [...opening, ...solution] });
      await page.goto('about:blank');
      await page.goto(`${url}#level=${id}&${address}`);
      await expect.poll(() => isBroken(page), SOON).toContain('not linearizable');
      expect(await page.locator('#now').innerText()).toContain('Solved');
      expect(await page.locator('tr.culprit').count()).toBe(1);
    },
  );

  test('says whom a proposer waits for, and what is true of that while the rule is off', async () => {
    const sets = async (address: string): Promise<string> => {
      const other = await open(address);
      const said = await other.locator('#sets').innerText();
      await other.context().close();
      return said;
    };
    expect(await sets('')).toBe('Each proposer asks a1, a2, a3 to promise until 2 have, and then to accept until 2 have.');
    expect(await sets('#off=quorum&moves=')).toContain(
      'to promise until 1 has, and then to accept until 1 has. So it is with the rule off',
    );
  });

  test('what a level says is shown together with its run, also while a move is still being made', async () => {
    const other = await open();
    await other.evaluate(`{
      const lesson = document.querySelector('#lesson');
      window.said = [];
      new MutationObserver(() => said.push(lesson.innerText)).observe(lesson, { childList: true, subtree: true, characterData: true });
      document.querySelector('[aria-label^="get"]').click();
      document.querySelector('[data-mode="levels"]').click();
    }`);
    await expect
      .poll(() => other.locator('#lesson').innerText(), SOON)
      .toContain('What is broken here: “a quorum is one acceptor of three”.');
    expect(await other.evaluate<string>(`said.join()`)).not.toContain('All rules are on.');
    await other.context().close();
  });

  test('a story is told in steps', async () => {
    await page.getByRole('button', { name: 'Learn' }).click();
    await expect.poll(() => page.locator('#now').innerText(), SOON).toBe('Two phases');
    await page.getByRole('button', { name: 'next ▶' }).click();
    await expect.poll(() => page.locator('#lesson').innerText(), SOON).toContain('p1 cas k 0 "red"');
    for (let move = 0; move < 3; move += 1) await page.locator('#step').click();
    await expect.poll(() => page.locator('#moves').innerText(), SOON).toContain('p1 → a2  prepare k 1.1.1.1');
  });

  test('a story stands beside the stage and what happened, and is paused where it was begun', async () => {
    const other = await open('#story=two-phases&step=2');
    const box = (place: string): Promise<Record<string, number>> =>
      other.evaluate<Record<string, number>>(`document.querySelector('${place}').getBoundingClientRect().toJSON()`);
    const [told, drawn, log] = await Promise.all(['#narration', '#drawing', '#log'].map(box));
    expect(drawn?.['left']).toBeGreaterThan(told?.['right'] ?? Infinity);
    expect(Math.max(drawn?.['bottom'] ?? Infinity, log?.['top'] ?? Infinity)).toBeLessThan(900);
    expect(await other.locator('#parcels').innerText()).toBe('None yet. The story asks by itself: “Show it”.');
    await other.getByRole('button', { name: 'Show it: 11 moves' }).click();
    // It stays what it is while moves are made, so that no click is lost.
    const pause = await other.locator('#lesson').getByRole('button', { name: 'Pause' }).elementHandle();
    await expect.poll(() => other.locator('#at').innerText(), SOON).toMatch(/^[3-9] of 11$/);
    expect(await (await pause.getProperty('isConnected')).jsonValue()).toBe(true);
    await other.getByRole('button', { name: 'next ▶' }).click();
    await expect.poll(() => other.locator('#lesson').innerText(), SOON).toContain('step 3 of 6');
    expect(await other.locator('#play').innerText()).toBe('Play');
    expect(await other.locator('#at').innerText()).toBe('12 of 12');
    await other.context().close();
  });

  test.each([
    ['story=nope', 'there is no story nope'],
    ['story=grow&step=one', 'not a step of a story: one'],
    ['level=nope', 'there is no level nope'],
    ['off=nope&moves=wait', 'no rule is called nope'],
    ['moves=d1', 'no message 1 is under way'],
    ['cluster=acceptors%3D99999999&moves=', 'nine nodes of a kind at most'],
  ])('says of the address %s what is wrong with it', async (address, why) => {
    const other = await open(`#${address}`);
    expect(await other.locator('#told').innerText()).toBe(`This address cannot be opened: ${why}`);
    await expect.poll(() => new URL(other.url()).hash, SOON).toBe('#moves=');
    // Later the run that is open stays.
    await other.getByRole('button', { name: 'get, through proposer 1' }).click();
    await expect.poll(() => other.locator('#at').innerText(), SOON).toBe('1 of 1');
    await other.evaluate(`location.hash = '${address}'`);
    await expect.poll(() => other.locator('#told').innerText(), SOON).toContain(why);
    expect(await other.locator('#at').innerText()).toBe('1 of 1');
    await other.context().close();
  });

  test('says to load it again as long as not all modules are there', async () => {
    const context = await browser.newContext();
    const other = await context.newPage();
    await other.route('**/levels.js', (route) => route.abort());
    await Promise.all([other.waitForEvent('requestfailed', SOON), other.goto(url)]);
    expect(await other.locator('#told').innerText()).toContain('load the page again');
    await context.close();
  });

  test('to skip to the stage leaves the run as it is', async () => {
    const other = await open('#moves=wait');
    await other.locator('.skip').focus();
    await other.keyboard.press('Enter');
    expect(await other.evaluate('document.activeElement.id')).toBe('stage');
    expect(new URL(other.url()).hash).toBe('#moves=wait');
    expect(await other.locator('#at').innerText()).toBe('1 of 1');
    await other.context().close();
  });

  test('a story leads to the next one', async () => {
    const other = await open('#story=two-phases&step=6');
    await other.getByRole('button', { name: 'next story ▶' }).click();
    await expect.poll(() => other.locator('#now').innerText(), SOON).toBe('One round trip');
    await other.context().close();
  });

  test('what looks as before stays: only what is new comes in', async () => {
    const other = await open();
    await other.getByRole('button', { name: 'cas 0 "red", through proposer 1' }).click();
    await expect.poll(() => other.locator('#at').innerText(), SOON).toBe('1 of 1');
    const kept = await Promise.all(['#drawing', '#parcels'].map((place) => other.$(`${place} [data-parcel="3"]`)));
    await other.locator('#drawing [data-parcel="1"]').click();
    await expect.poll(() => other.locator('#at').innerText(), SOON).toBe('2 of 2');
    for (const one of kept) expect(await (await one?.getProperty('isConnected'))?.jsonValue()).toBe(true);
    await other.context().close();
  });

  test('the address follows moves that are faster than a browser takes addresses', async () => {
    const other = await open();
    await other.evaluate(`{
      const { replaceState } = history;
      window.writtenAtMs = [];
      history.replaceState = (...to) => (window.writtenAtMs.push(performance.now()), replaceState.apply(history, to));
    }`);
    for (let move = 0; move < 300; move += 1) await other.evaluate(`document.querySelector('#wait').click()`);
    await expect.poll(() => other.locator('#at').innerText(), SOON).toBe('300 of 300');
    await expect.poll(() => decodeURIComponent(other.url()).split('wait').length - 1, SOON).toBe(300);
    const writtenAtMs = await other.evaluate<number[]>('window.writtenAtMs');
    // One in 60 ms; browsers refuse more than about one in 50.
    expect(writtenAtMs.length).toBeLessThanOrEqual(2 + ((writtenAtMs.at(-1) ?? 0) - (writtenAtMs[0] ?? 0)) / 60);
    await other.context().close();
  });

  test('shows the lines of the program that the last move ran, with the rule that is off', async () => {
    const code = (): Promise<string> => page.locator('#code').innerText();
    const open = async (address: string): Promise<void> => {
      await page.goto('about:blank');
      await page.goto(`${url}#${address}`);
    };
    await open(addressOf({ cluster: USUAL_CLUSTER, seed: 1, off: [], choices: ['p1 cas k 0 "red"', 'd1'] }));
    await expect.poll(code, SOON).toContain('if (compareBallots(ballot, barrier) <= 0)');
    expect(await page.locator('#code-file').innerText()).toBe('src/protocol/memory-acceptor.js');
    expect(await page.locator('#code mark').count()).toBe(2);
    const write = ['p1 cas k 0 "red"', 'd1', 'd2', 'd4', 'd5', 'd6'];
    await open(addressOf({ cluster: USUAL_CLUSTER, seed: 1, off: [], choices: write }));
    await expect.poll(code, SOON).toContain('const fresh = compareBallots(ballot, register.promise) >= 0 &&');
    await open(addressOf({ cluster: USUAL_CLUSTER, seed: 1, off: ['promise'], choices: write }));
    await expect.poll(code, SOON).toContain('const fresh = ');
    expect(await code()).not.toContain('const fresh = compareBallots(ballot, register.promise) >= 0 &&');
  });

  test('a story with a rule broken ends where its transcript does: the deleted value is back', async () => {
    await page.goto('about:blank');
    await page.goto(`${url}#story=collection-without-floor&step=1`);
    await expect.poll(() => page.locator('#now').innerText(), SOON).toBe('A collection without the floor');
    const next = page.getByRole('button', { name: 'next ▶' });
    while ((await next.count()) > 0 && (await next.isEnabled())) {
      const before = await page.locator('#lesson').innerText();
      await next.click();
      await expect.poll(() => page.locator('#lesson').innerText(), SOON).not.toBe(before);
    }
    await page.locator('#moves button').last().click();
    await expect.poll(() => isBroken(page), SOON).toContain('not linearizable');
    expect(await page.locator('#now').innerText()).toBe('A collection without the floor. This history cannot be: the judge says why.');
    // The list of moves scrolls; a second one around it would hide its end, where the present move is.
    expect(await page.evaluate(`(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)(document.querySelector('#log'))`)).toBe(
      0,
    );
  });

  test('a run is saved as a diagram, which opens by itself in either scheme, and as histories', async () => {
    const { cluster, off, opening, solution } = LEVELS[0] ?? { cluster: '', off: [], opening: [], solution: [] };
    await page.goto('about:blank');
    await page.goto(`${url}#${addressOf({ cluster, seed: 1, off, choices: [...opening, ...solution] })}`);
    await expect.poll(() => isBroken(page), SOON).toContain('not linearizable');
    const saved = async (name: string): Promise<[file: string, text: string]> => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
      return [download.suggestedFilename(), readFileSync(await download.path(), 'utf8')];
    };
    const [edn, log] = [await saved('Save its history (EDN)'), await saved('Save its history (log)')];
    expect(edn[0]).toBe('caspaxos-k.edn');
    expect(edn[1].trimEnd().split('\n').at(-1)).toContain('{:type :ok, :f :read, :value nil, ');
    expect(log).toEqual(['caspaxos-k.log', expect.stringContaining('\t:invoke\t:cas\t[0 1]\n')]);
    const [file, svg] = await saved('Save as SVG');
    expect(file).toBe('caspaxos-k.svg');
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const picture = await context.newPage();
    picture.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await picture.goto(`data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`);
    const background = (): Promise<string> => picture.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor');
    expect(await picture.locator('g.message').count()).toBeGreaterThan(10);
    expect(await picture.locator('rect.culprit').count()).toBe(1);
    for (const colorScheme of ['light', 'dark'] as const) {
      await picture.emulateMedia({ colorScheme });
      expect(await background()).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(27, 32, 39)');
    }
    await context.close();
  });

  test('fits a phone, and axe finds nothing in either scheme', async () => {
    const { cluster, off, opening, solution, id } = LEVELS[0] ?? { cluster: '', off: [], opening: [], solution: [], id: '' };
    const phone = await open(`#level=${id}&${addressOf({ cluster, seed: 1, off, choices: [...opening, ...solution] })}`, 390);
    expect(await phone.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await phone.emulateMedia({ reducedMotion: 'reduce' });
    await phone.evaluate(AXE);
    for (const colorScheme of ['light', 'dark'] as const) {
      await phone.emulateMedia({ colorScheme });
      const { violations } = await phone.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run(document)');
      expect(violations.flatMap((found) => found.nodes.map(({ html }) => `${found.id}: ${html}`))).toEqual([]);
    }
    await phone.context().close();
  });

  test('complains of nothing on the way', () => {
    expect(complaints).toEqual([]);
  });
});
