import { randomInt } from 'node:crypto';
import { constants } from 'node:os';
import type { Addresses } from '../src/addresses.js';
import type { Time } from '../src/time.js';
import type { Note } from './coroutine.js';
import { randomFrom } from './random.js';
import { run } from './run.js';
import { addressesAt, settingsFrom } from './settings.js';

/** What a shell reports of a program that a signal ended. */
const SIGNALLED = 128;

const time: Time = {
  nowMs: () => performance.now(),
  after: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return () => clearTimeout(timer);
  },
};

const noted = new Set<string>();
const note: Note = (kind, text) => {
  if (noted.has(kind)) return;
  noted.add(kind);
  process.stderr.write(`# ${text}\n`);
};

function fail(error: unknown): void {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** The first signal ends the run, the second the program. */
function stopOnSignals(stop: AbortController): void {
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) process.exit(SIGNALLED + constants.signals[signal]);
      stop.abort();
    });
  }
}

function addresses(): Addresses | undefined {
  try {
    return addressesAt(process.env['ADDRESS_MAP']);
  } catch (error) {
    fail(error);
    return undefined;
  }
}

// Whoever read the output has gone (`| head`): end as quietly as other programs do. Not with 0: the check was not made.
process.stdout.on('error', () => process.exit(SIGNALLED + constants.signals.SIGPIPE));
process.stderr.on('error', () => undefined);

const settings = settingsFrom(process.argv.slice(2));
const map = addresses();
if (map) {
  const stop = new AbortController();
  stopOnSignals(stop);
  const world = {
    addresses: map,
    time,
    random: randomFrom(settings.seed ?? randomInt(2 ** 32)),
    note,
    print: (text: string) => process.stdout.write(text),
  };
  try {
    if (!(await run(settings, world, stop))) process.exitCode = 1;
  } catch (error) {
    fail(error);
  }
}
