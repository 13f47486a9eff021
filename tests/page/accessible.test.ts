import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { START } from '../node-control/spec-commands.js';
import { visit, type Visit } from './page-cluster.js';
import { untilShown } from './shown.js';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** What a reader may have set, each with what the page shows in it. */
const LOOKS: readonly (readonly [name: string, Parameters<Page['emulateMedia']>[0]])[] = [
  ['light', { colorScheme: 'light', forcedColors: 'none', media: 'screen' }],
  ['dark', { colorScheme: 'dark', forcedColors: 'none', media: 'screen' }],
  ['forced colours', { colorScheme: 'light', forcedColors: 'active', media: 'screen' }],
  ['forced colours, dark', { colorScheme: 'dark', forcedColors: 'active', media: 'screen' }],
  ['print', { colorScheme: 'light', forcedColors: 'none', media: 'print' }],
];

/** What axe finds, by rule and place. */
interface Finding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

describe('the page is for everybody', () => {
  let nodes: Visit['nodes'];
  let page: Page;
  let leave: Visit['leave'];

  beforeAll(async () => {
    ({ nodes, page, leave } = await visit());
    await page.goto(nodes.url);
    await page.evaluate(AXE);
  });
  afterAll(() => leave());

  const findings = async (look: Parameters<Page['emulateMedia']>[0], context: string): Promise<string[]> => {
    await page.emulateMedia(look);
    // The same elements in every look: what they are and are called is judged once for each state.
    const rules = look === LOOKS[0]?.[1] ? '{}' : `{ runOnly: ['color-contrast'] }`;
    const { violations } = await page.evaluate<{ violations: readonly Finding[] }>(`axe.run(${context}, ${rules})`);
    return violations.flatMap(({ id, nodes: found }) => found.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
  };
  const expectNone = async (state: string, context = 'document'): Promise<void> => {
    // Paper is judged by what is on it, below.
    for (const [name, look] of LOOKS.slice(0, -1)) expect(await findings(look, context), `${state}, ${name}`).toEqual([]);
  };
  const shows = (text: string): Promise<unknown> => untilShown(page, text, ({ now }) => now.includes(text));

  test('in every state that it can be in: axe finds nothing', async () => {
    await untilShown(page, 'how to begin', ({ owed }) => owed.length === 2);
    await page.locator('#next summary').first().click();
    await expectNone('nothing configured');
    for (const command of START) await nodes.control(command);
    nodes.startClient();
    await nodes.control('add-accept all acceptor-2:6379 2');
    await untilShown(page, 'growing', ({ owed }) => owed[0]?.includes('rescan') === true);
    await expectNone('growing');
    await nodes.control('resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379');
    await shows('serves on with any one acceptor lost');
    await page.getByRole('group', { name: 'is lost' }).getByLabel('acceptor-1').check();
    await page.getByRole('button', { name: 'Write through all at once' }).click();
    await page.locator('#written', { hasText: 'too late' }).waitFor();
    await expectNone('three acceptors');
    await page.locator('#big').click();
    await page.locator('#hold').click();
    await expectNone('big, and held');
    await page.locator('#hold').click();
    await page.locator('#big').click();
    await Promise.all([2, 3].map((number) => nodes.cluster.acceptor(number).kill9()));
    await shows('no quorum answers');
    nodes.cluster.proposer(2).pause();
    try {
      await untilShown(page, 'that it hangs', ({ nodes: drawn }) => drawn.includes('proposer-2✕ hangs'));
      await expectNone('no quorum, and a proposer hangs');
    } finally {
      nodes.cluster.proposer(2).resume();
    }
    await Promise.all([2, 3].map((number) => nodes.cluster.acceptor(number).start()));
    await shows('serves on');
    await nodes.control('wipe all');
    await shows('No proposer has acceptors any more');
    await expectNone('wiped');
    await nodes.killService();
    await page.locator('body.stale').waitFor();
    // What stands below is from before, and dim on purpose: the headline says so.
    await expectNone('the control node is gone', `{ exclude: ['main > :not(#narration)'] }`);
    await nodes.startService();
    await page.locator('#link.live').waitFor();
  }, 240_000);

  test('shows who is asked where a reader has colours of his own, and on paper', async () => {
    await nodes.control('resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379');
    await shows('serves on');
    const borders = `[...document.querySelectorAll('.band')].map((band) => getComputedStyle(band).borderTopStyle + getComputedStyle(band, '::after').content)`;
    for (const [name, look] of LOOKS.slice(2)) {
      await page.emulateMedia(look);
      const bands = await page.evaluate<string[]>(borders);
      expect([name, bands.length, new Set(bands)]).toEqual([name, 6, new Set(['solid"✓"'])]);
      const dashes = await page.evaluate<string>(`getComputedStyle(document.querySelector('.line.accept')).strokeDasharray`);
      expect([name, dashes]).toEqual([name, expect.stringMatching(/^10/)]);
    }
    await page.emulateMedia(LOOKS[0]?.[1]);
  });

  test('is reached by keyboard in all its controls, in the order in which they stand, with a ring around each', async () => {
    // The keyboard begins at the top of a page that was just opened.
    await page.goto(nodes.url);
    await untilShown(page, 'nothing more to do', ({ sets }) => sets.join().includes('accept 123: 2 of 3'));
    const reachable = await page.evaluate<number>(`
      [...document.querySelectorAll('a, button, input, summary, [tabindex="0"]')].filter((one) => one.checkVisibility()).length
    `);
    const seen: string[] = [];
    for (let stop = 0; stop < reachable; stop += 1) {
      await page.keyboard.press('Tab');
      seen.push(
        await page.evaluate<string>(`(() => {
          const one = document.activeElement;
          window.stops = [...(window.stops ?? []), one];
          const before = window.stops.at(-2);
          const isLater = before === undefined || (before.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING) > 0;
          return (isLater ? '' : 'out of order: ') + getComputedStyle(one).outlineStyle + ' ' + getComputedStyle(one).outlineWidth;
        })()`),
      );
    }
    expect(new Set(seen)).toEqual(new Set(['solid 3px']));
    expect(await page.evaluate('new Set(window.stops).size')).toBe(reachable);
  });
});
