/** Says how the playground loads, and what its frames cost while 200 messages are under way: npm run frames. */
import { loadavg } from 'node:os';
import type { Page } from 'playwright-core';
import { test } from 'vitest';
import { addressOf, USUAL_CLUSTER } from '../../playground/stage/run.js';
import { launchBrowser } from './browser.js';
import { servePlayground } from './playground-server.js';
import { costOf, type TraceEvent } from './trace.js';

/** Through both proposers, to three acceptors: 204 messages. */
const KEYS = Array.from({ length: 34 }, (_, index) => `${'k'.repeat(Math.floor(index / 26))}${String.fromCharCode(97 + (index % 26))}`);
const PLAY_MS = 3_000;
/** A move each 400 ms, as it stands there at first, and each 12.5 ms: more than one for each frame. */
const SPEEDS = [3, 8];

const CATEGORIES = [
  'toplevel',
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
  'disabled-by-default-devtools.timeline.frame',
];

/** Requests, bytes, and the time until the first move can be made. */
async function loading(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator('body.ready').waitFor();
  const [requests, bytes, readyMs] = await page.evaluate<[number, number, number]>(`(() => {
    const loaded = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return [loaded.length, loaded.reduce((sum, one) => sum + one.encodedBodySize, 0), Math.max(...loaded.map((one) => one.responseEnd))];
  })()`);
  process.stdout.write(`loads ${requests} files of ${Math.round(bytes / 1_024)} KiB, the last after ${Math.round(readyMs)} ms\n`);
}

test('frames', async () => {
  const { url, close } = await servePlayground();
  const browser = await launchBrowser();
  try {
    // Somebody who was never here, and comes again: the browser itself runs already but for the first of them.
    for (let visitor = 0; visitor < 4; visitor += 1) {
      const profile = await browser.newContext();
      const page = await profile.newPage();
      for (let visit = 0; visit < 2; visit += 1) await loading(page, url);
      await profile.close();
    }
    const page = await browser.newPage({ viewport: { width: 1_280, height: 900 } });
    const choices = KEYS.flatMap((key) => [`p1 cas ${key} 0 "x"`, `p2 cas ${key} 0 "y"`]);
    for (const speed of SPEEDS) {
      await page.goto('about:blank');
      await page.goto(`${url}#${addressOf({ cluster: USUAL_CLUSTER, seed: 1, off: [], choices })}`);
      await page.locator('body.ready').waitFor();
      await page.locator('#speed').fill(String(speed));
      const before = await page.locator('#parcels [data-parcel]').count();
      await browser.startTracing(page, { categories: CATEGORIES });
      await page.locator('#play').click();
      await page.waitForTimeout(PLAY_MS);
      await page.locator('#play').click();
      const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
      const after = await page.locator('#parcels [data-parcel]').count();
      const moves = await page.locator('#at').innerText();
      const { frames, perSecond, work } = costOf(trace.traceEvents);
      const [mean, p95, max] = [work.mean, work.p95, work.max].map((ms) => ms.toFixed(1));
      process.stdout.write(
        `speed ${speed}, ${before} to ${after} messages, at move ${moves}: ${frames} frames, ${perSecond.toFixed(1)} a second; ` +
          `main thread ${mean} ms a frame, 95 of 100 below ${p95} ms, at most ${max} ms\n`,
      );
    }
    process.stdout.write(
      `load of the machine: ${loadavg()
        .map((load) => load.toFixed(1))
        .join(' ')}\n`,
    );
  } finally {
    await browser.close();
    close();
  }
});
