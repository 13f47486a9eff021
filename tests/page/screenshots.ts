/** Makes the pictures of docs/page/: npm run screenshots. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { test } from 'vitest';
import { GROW, START } from '../node-control/spec-commands.js';
import { launchBrowser } from './browser.js';
import { PageCluster } from './page-cluster.js';
import { untilShown } from './shown.js';

const FOLDER = fileURLToPath(new URL('../../docs/page/', import.meta.url));
/** The funnel is to fill some of the chart. */
const LOOK_MS = 6_000;

async function picture(page: Page, name: string, height: number): Promise<void> {
  await page.setViewportSize({ width: 1_100, height });
  await page.waitForTimeout(1_500);
  await page.screenshot({ path: `${FOLDER}${name}.png` });
  process.stdout.write(`docs/page/${name}.png\n`);
}

test('the pictures', async () => {
  mkdirSync(FOLDER, { recursive: true });
  const nodes = await PageCluster.start();
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage({ colorScheme: 'light' });
    await page.goto(nodes.url);
    for (const command of START) await nodes.control(command);
    nodes.startClient();
    await page.waitForTimeout(LOOK_MS);
    await picture(page, 'one-acceptor', 600);
    await nodes.control(GROW[0] ?? '');
    await page.waitForTimeout(LOOK_MS);
    await picture(page, 'growing', 600);
    for (const command of GROW.slice(1)) {
      await nodes.control(command);
      await page.waitForTimeout(2_500);
      if (command.startsWith('add-accept')) await picture(page, 'two-to-three', 600);
    }
    await page.waitForTimeout(LOOK_MS);
    await picture(page, 'three-acceptors', 1_560);
    await nodes.cluster.acceptor(2).kill9();
    await untilShown(page, 'the loss', ({ now }) => now.includes('without acceptor-2'));
    await page.waitForTimeout(LOOK_MS);
    await picture(page, 'one-lost', 960);
  } finally {
    await browser.close();
    await nodes.stop();
  }
});
