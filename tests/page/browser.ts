import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Nothing that reaches out of this machine, nothing that asks. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const PLACES = [
  // Chromium without its windows, where it is installed (Debian's chromium-headless-shell): half the processor time.
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The system's Chromium, headless. Throws where there is none. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = [process.env['CHROMIUM'] ?? '', ...PLACES].find((place) => place !== '' && existsSync(place));
  if (executablePath === undefined) throw new Error('no Chromium is installed: apt-get install chromium, or name one in CHROMIUM');
  return chromium.launch({ executablePath, args: FLAGS });
}
