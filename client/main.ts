import { randomInt } from 'node:crypto';
import { constants } from 'node:os';
import { splitAddress } from '../src/node/addresses.js';
import { FUNNEL_NAME, type FunnelLine } from '../src/http/funnel-stream.js';
import { systemTime } from '../src/store/system-time.js';
import type { Note } from './notes.js';
import { randomFrom } from './random.js';
import { endForLostOutput } from '../src/node/lost-output.js';
import { FunnelServer } from './funnel-server.js';
import { run } from './run.js';
import { answerTimeoutMs } from '../src/http/client.js';
import { readLimits } from '../src/store/limits.js';
import { addressesAt, settingsFrom } from './settings.js';

/** What a shell reports of a program that a signal ended. */
const SIGNALLED = 128;

const noted = new Set<string>();
const note: Note = (kind, text) => {
  if (noted.has(kind)) return;
  noted.add(kind);
  process.stderr.write(`# ${text}\n`);
};

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

// The check was not made.
process.stdout.on('error', endForLostOutput);
process.stderr.on('error', () => undefined);

const settings = settingsFrom(process.argv.slice(2));
const stop = new AbortController();
const funnelServer = new FunnelServer();
stopOnSignals(stop);
try {
  const addresses = addressesAt(process.env['ADDRESS_MAP'], settings.proposers);
  const print = (text: string): void => void process.stdout.write(text);
  const random = randomFrom(settings.seed ?? randomInt(2 ** 32));
  // Where an address map names a port for it, or the environment does: a client elsewhere opens no port.
  const funnelAddress = process.env['FUNNEL_ADDRESS'] || addresses(FUNNEL_NAME);
  if (funnelAddress !== FUNNEL_NAME) {
    const { host, port } = splitAddress(funnelAddress);
    funnelServer.listen(host, port);
  }
  const onLine = (line: FunnelLine): void => funnelServer.send(line);
  const timeoutMs = answerTimeoutMs(readLimits(process.env));
  const isInOrder = await run(settings, { addresses, answerTimeoutMs: timeoutMs, time: systemTime, random, print, note, onLine }, stop);
  if (!isInOrder) process.exitCode = 1;
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
} finally {
  funnelServer.close();
}
