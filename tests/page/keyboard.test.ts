import { expect, test } from 'vitest';
import { GROW, SHRINK, START } from '../node-control/spec-commands.js';
import { visit } from './page-cluster.js';
import { untilShown } from './shown.js';

/** The machine may be busy. */
const SOON = { timeout: 20_000 };
/** More than the page has places that the keyboard stops at. */
const STOPS_MAX = 120;

/** What a screen reader calls the place that has the keyboard. */
const PLACE = `(() => {
  const one = document.activeElement;
  return (one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.textContent).trim();
})()`;

test('the whole tour goes with the keyboard alone: nothing on the page needs a pointer', async () => {
  const { nodes, page, leave } = await visit();
  /** Tab, until the keyboard is there. */
  const reach = async (place: string | RegExp, tab = 'Tab'): Promise<void> => {
    const passed: string[] = [];
    while (passed.length < STOPS_MAX) {
      await page.keyboard.press(tab);
      const here = await page.evaluate<string>(PLACE);
      if (typeof place === 'string' ? here === place : place.test(here)) return;
      passed.push(here);
    }
    throw new Error(`${tab} never comes to "${String(place)}", but to ${[...new Set(passed)].join(', ')}`);
  };
  /** What the page names first is copied from it, and pasted into a terminal. */
  const copyAndType = async (step: string): Promise<void> => {
    const command = `./run-control.sh ${step}`;
    await untilShown(page, command, ({ owed }) => owed[0] === command);
    await reach(`Copy ${command}`);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(`document.activeElement.textContent`), SOON).toBe('Copied');
    const pasted = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(pasted).toBe(command);
    await nodes.control(pasted.replace('./run-control.sh ', ''));
  };
  const [addAccept2 = '', rescan = '', addPrepare2 = '', addAccept3 = '', addPrepare3 = ''] = GROW;
  const [rmAccept3 = '', rmPrepare3 = '', rescanBack = '', rmAccept2 = '', rmPrepare2 = ''] = SHRINK;
  try {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(nodes.url);
    for (const step of START) await copyAndType(step);
    // Where the page would do several steps in one command, the README's are typed.
    await nodes.control(addAccept2);
    await untilShown(page, rescan, ({ owed }) => owed[0] === `./run-control.sh ${rescan}`);
    await reach('Why this step?');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#next details').first().innerText(), SOON).toContain('brings each key to the present accept set');
    for (const step of [rescan, addPrepare2]) await copyAndType(step);
    await nodes.control(addAccept3);
    await copyAndType(addPrepare3);
    await untilShown(page, 'three', ({ now }) => now.includes('serves on with any one acceptor lost'));

    await reach('Write through all at once');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#written').innerText(), SOON).toContain('too late');
    await reach('The chart as a table', 'Shift+Tab');
    await page.keyboard.press('Enter');
    const inChart = (): Promise<string[]> => page.locator('#seconds tbody tr').allInnerTexts();
    await expect
      .poll(async () => (await inChart()).join('\n'), SOON)
      .toMatch(/^\d\d:\d\d:\d\d\t–\t–\t–\t–\t\d+\. prepare: 2 of acceptors 1, 2 and 3$/m);
    await page.keyboard.press('Enter');

    // Past all that is above the keys.
    await reach('Skip to one key on each acceptor', 'Shift+Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate<string>(PLACE)).toBe('Key');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('colour');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#register caption').innerText(), SOON).toBe('The register of colour');
    await reach('acceptor-2');
    await page.keyboard.press('Space');
    await expect.poll(() => page.locator('#consequence').innerText(), SOON).toContain('serves without acceptor-2');
    await page.keyboard.press('Space');
    await expect.poll(() => page.locator('#consequence').innerText(), SOON).toBe('');

    await reach('Hold the picture');
    await page.keyboard.press('Enter');
    await reach(/^step back/, 'Shift+Tab');
    const heldAt = await page.locator('#held span').innerText();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => page.locator('#held span').innerText(), SOON).not.toBe(heldAt);
    await reach('Hold the picture');
    await page.keyboard.press('Enter');
    expect(await page.locator('#held').isVisible()).toBe(false);

    await nodes.control(rmAccept3);
    for (const step of [rmPrepare3, rescanBack]) await copyAndType(step);
    await nodes.control(rmAccept2);
    await copyAndType(rmPrepare2);
    await untilShown(page, 'one acceptor', ({ sets }) => sets.join() === 'prepare 1: 1 of 1,accept 1: 1 of 1');
  } finally {
    await leave();
  }
}, 240_000);
