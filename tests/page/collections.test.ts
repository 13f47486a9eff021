import { expect, test } from 'vitest';
import { visit } from './page-cluster.js';
import { untilShown } from './shown.js';

/** The machine may be busy. */
const SOON = { timeout: 20_000 };

test('the page shows a tombstone, what was collected, and the floor that is left', async () => {
  const { nodes, page, leave } = await visit();
  try {
    await page.goto(nodes.url);
    await nodes.control('resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379');
    const { kv } = nodes.cluster.proposer(1);
    expect(await kv.put('gone', 0, 'v')).toMatchObject({ ok: true });
    expect(await kv.delete('gone')).toMatchObject({ ok: true });
    await page.locator('#key').fill('gone');
    await page.keyboard.press('Enter');
    const rows = page.locator('#register tbody tr');
    const row = (text: RegExp): unknown[] =>
      [1, 2, 3].map((number) => expect.stringMatching(new RegExp(`acceptor-${number}\\s+${text.source}`)) as unknown);
    await expect.poll(() => rows.allInnerTexts(), SOON).toEqual(row(/✓ chosen\s+tombstone\s+2\s/));

    const { stdout } = await nodes.cluster.controlWith({ STATE_DIR: nodes.stateFolder }, 'collect');
    const era = /^1 register of deleted keys removed \(era (\d+)\)\n$/.exec(stdout)?.[1] ?? '';
    expect(era).not.toBe('');
    const { events } = await untilShown(page, 'the collection', (now) => now.events.some((event) => event.includes('collected')));
    expect(events[0]).toMatch(/1 deleted key collected/);
    // All registers went, and no acceptor was wiped.
    await expect.poll(() => page.locator('#graph').innerText(), SOON).toMatch(/acceptor-1[^a-z]*0 keys/);
    await expect.poll(() => rows.allInnerTexts(), SOON).toEqual(row(new RegExp(`holds nothing\\s+–\\s+above 2\\s+–\\s+${era}\\.0\\.0`)));
    expect(await page.locator('#events').innerText()).not.toContain('wiped');
  } finally {
    await leave();
  }
});
