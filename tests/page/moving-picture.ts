/** Makes docs/page/moving.webp, which README.md shows: npm run moving-picture. */
import { fileURLToPath } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import { test } from 'vitest';
import { LEVELS } from '../../playground/levels/levels.js';
import { addressOf } from '../../playground/stage/run.js';
import { GROW, START } from '../node-control/spec-commands.js';
import { launchBrowser } from './browser.js';
import { Film } from './film.js';
import { PageCluster } from './page-cluster.js';
import { type Shown, shown, untilShown } from './shown.js';

const PICTURE = fileURLToPath(new URL('../../docs/page/moving.webp', import.meta.url));
/** A little wider than README.md is shown, and twice as fine. */
const SIZE = { viewport: { width: 960, height: 700 }, deviceScaleFactor: 2 };
/** The page looks at the nodes each second; the funnel is to move between two frames. */
const PAGE_LOOK_MS = 1_500;
const HEALTH_LIMIT_MS = 120_000;

/** The tour's commands, as its page shows them. */
async function tour(page: Page, nodes: PageCluster, film: Film): Promise<void> {
  await page.goto(nodes.url);
  for (const command of START) await nodes.control(command);
  // As in the tour, a key that nobody writes any more: only the rescan brings it along.
  await nodes.cluster.proposer(1).kv.put('colour', 0, 'green');
  nodes.startClient();
  await scrollTo(page, '#narration');
  await page.waitForTimeout(4 * PAGE_LOOK_MS);
  await healthyFrame(page, film, 1_200);
  for (const command of GROW) {
    await nodes.control(command);
    await page.waitForTimeout(PAGE_LOOK_MS);
    await healthyFrame(page, film, command === GROW.at(-1) ? 1_500 : 1_000);
  }
}

/** A machine that is busy with other things makes nodes look slow: the tour is to be seen, and not that. */
async function healthyFrame(page: Page, film: Film, ms: number): Promise<void> {
  const isHealthy = ({ nodes }: Shown): boolean => nodes.every((node) => !/slow|unreachable/.test(node));
  for (;;) {
    await untilShown(page, 'all nodes in time', isHealthy, HEALTH_LIMIT_MS);
    await film.frame(ms);
    if (isHealthy(await shown(page))) return;
    film.dropLast();
  }
}

/** What is clicked next is seen first. */
async function click(control: Locator, film: Film, ms = 350): Promise<void> {
  await control.hover();
  await film.frame(ms);
  await control.click();
}

function scrollTo(page: Page, selector: string): Promise<void> {
  return page.evaluate(`document.querySelector('${selector}').scrollIntoView()`);
}

/** A write that loses two messages, a read through the other proposer, and what the judge says of both. */
async function freePlay(page: Page, film: Film): Promise<void> {
  const deliver = async (...numbers: number[]): Promise<void> => {
    for (const number of numbers) await click(page.locator(`#drawing [data-parcel="${number}"]`), film);
  };
  await click(page.getByRole('button', { name: 'cas 0 "red", through proposer 1' }), film, 1_100);
  await scrollTo(page, '#stage');
  await deliver(1, 2);
  await click(page.getByRole('button', { name: /^Lose message 3,/ }), film, 600);
  await deliver(4, 5);
  await click(page.getByRole('button', { name: /^Lose message 8,/ }), film, 600);
  await deliver(6, 7, 9, 10);
  await page.getByRole('button', { name: 'get, through proposer 2' }).click();
  await scrollTo(page, '#stage');
  await deliver(11, 12, 14, 15);
  await film.frame(1_500);
}

/** A level, and how the write is lost there: the judge shows what cannot be. */
async function brokenRule(page: Page, film: Film): Promise<void> {
  const [level] = LEVELS;
  if (!level) throw new Error('there is no level');
  const { id, cluster, off, opening, solution } = level;
  const run = { cluster, seed: 1, off, choices: [...opening, ...solution] };
  await page.evaluate(`location.hash = '#level=${id}&${addressOf(run, opening.length)}'`);
  await page.getByText(level.task).waitFor();
  await scrollTo(page, 'body');
  await film.frame(1_300);
  await scrollTo(page, '#stage');
  for (let left = solution.length; left > 0; left -= 1) await click(page.locator('#step'), film, 250);
  await page.getByText('not linearizable').waitFor();
  await page.evaluate("document.querySelector('#bars').scrollIntoView({ block: 'end' })");
  await film.frame(2_000);
}

test('the moving picture', async () => {
  const nodes = await PageCluster.start();
  const browser = await launchBrowser();
  const page = await browser.newPage({ ...SIZE, colorScheme: 'light', reducedMotion: 'reduce' });
  const film = new Film(page);
  try {
    await tour(page, nodes, film);
    await page.goto(`${nodes.url}playground/?cluster`);
    await page.locator('body.ready').waitFor();
    await freePlay(page, film);
    await brokenRule(page, film);
    const bytes = await film.develop(PICTURE);
    process.stdout.write(`docs/page/moving.webp: ${film.ms / 1_000} s, ${bytes} bytes\n`);
  } finally {
    film.forget();
    await browser.close();
    await nodes.stop();
  }
});
