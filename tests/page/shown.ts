import type { Page } from 'playwright-core';

/** What a reader sees on the page at one moment. */
export interface Shown {
  readonly now: string;
  /** The commands that are owed next. */
  readonly owed: string[];
  /** For each group of proposers, `prepare` and `accept`: the acceptors in the set by number, and the quorum. */
  readonly sets: string[];
  /** Name and state of each node in the drawing. */
  readonly nodes: string[];
  /** The lines of each kind in the drawing. */
  readonly lines: { readonly prepare: number; readonly accept: number; readonly broken: number };
  readonly events: string[];
}

export async function shown(page: Page): Promise<Shown> {
  const texts = (selector: string): Promise<string[]> => page.locator(selector).allInnerTexts();
  // A cell says in words, for a screen reader, what it shows.
  const sets = (await texts('#sets tr.prepare, #sets tr.accept')).map((row) => {
    const [phase = '', ...cells] = row.split(/\s*\t\s*/);
    const members = cells.flatMap((cell, index) => (cell === 'asked' ? [String(index + 1)] : []));
    return `${phase} ${members.join('')}: ${cells.at(-1) ?? ''}`;
  });
  const count = (kind: string): Promise<number> => page.locator(`#graph .${kind}`).count();
  return {
    now: await page.locator('#now').innerText(),
    owed: (await page.locator('#next').isVisible()) ? await texts('#next code') : [],
    sets,
    nodes: await page.locator('#graph .node').allTextContents(),
    lines: { prepare: await count('prepare'), accept: await count('accept'), broken: await count('broken') },
    events: await texts('#events li'),
  };
}

/** Resolves once the page shows what `check` looks for; rejects with what it shows instead. */
export async function untilShown(page: Page, what: string, check: (now: Shown) => boolean, limitMs = 20_000): Promise<Shown> {
  const deadlineMs = Date.now() + limitMs;
  for (;;) {
    const now = await shown(page);
    if (check(now)) return now;
    if (Date.now() > deadlineMs) throw new Error(`the page does not show ${what}: ${JSON.stringify(now, null, 2)}`);
    await page.waitForTimeout(100);
  }
}
