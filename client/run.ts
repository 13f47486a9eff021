import { NetworkError } from '../src/http/client.js';
import type { Addresses } from '../src/node/addresses.js';
import type { FunnelLine } from '../src/http/funnel-stream.js';
import type { Time } from '../src/protocol/time.js';
import { Coroutine } from './coroutine.js';
import { judge, readAll } from './final-check.js';
import { Funnel, header, line, noCounts } from './funnel.js';
import { Ledger } from './ledger.js';
import { writeNames } from './names.js';
import { type Note, noteRefusal, noteSilence } from './notes.js';
import { Outage } from './outage.js';
import { Proposers } from './proposers.js';
import { read } from './reading.js';
import { forkedFrom, type Random } from './random.js';
import type { ClientSettings } from './settings.js';
import { aborted, within } from './within.js';

/** How long the first look at the keys may hold up the clients, where a proposer hangs. */
const FIRST_LOOK_MS = 1_000;
/** How long requests in flight may take at the end, where an outcome is not asked for again. A write that takes longer counts as unknown. */
const IN_FLIGHT_MS = 4_000;
/** How long unknown outcomes are asked for at the end: a request that hangs, and time for an acceptor or a proposer to come back. */
const OUTCOMES_MS = 10_000;

export interface ClientWorld {
  readonly addresses: Addresses;
  /** Longer than any answer takes; as for every client unless it is given. */
  readonly answerTimeoutMs?: number;
  readonly time: Time;
  readonly random: Random;
  /** Each line of the funnel, besides the output. */
  readonly onLine?: (line: FunnelLine) => void;
  /** The output. */
  readonly print: (text: string) => void;
  readonly note: Note;
}

/**
 * Runs the clients until `stop` is aborted or the seconds are over, then the final check.
 *
 * @returns whether the check found all in order
 * @throws NotANumber where a key holds something else from the start
 */
export async function run(settings: ClientSettings, world: ClientWorld, stop: AbortController): Promise<boolean> {
  const { time, random, print } = world;
  let isOver = false;
  // A request that the end of the run cuts off says nothing of its proposer.
  const note: Note = (kind, text) => {
    if (!isOver) world.note(kind, text);
  };
  const keys = Array.from({ length: settings.keys }, (_, index) => `${settings.keyPrefix}${index + 1}`);
  const ledger = new Ledger(keys);
  const outage = new Outage(note);
  const proposers = new Proposers(settings.proposers, world.addresses, time, {
    hear: (name, failure) => outage.hear(name, failure),
    wait: settings.retry,
    affinity: settings.affinity,
    ...(world.answerTimeoutMs !== undefined && { timeoutMs: world.answerTimeoutMs }),
  });
  try {
    const chances = forkedFrom(random);
    await within(time, FIRST_LOOK_MS, firstLook(ledger, proposers, chances, note, stop.signal));

    const columns = Array.from({ length: settings.clients }, noCounts);
    print(header(settings.proposers.length, keys.length, columns.length));
    const funnel = new Funnel(time, columns, (second, counts) => {
      print(line(second, counts));
      world.onLine?.({ second, columns: counts });
      const confirmed = counts.reduce((sum, { writes }) => sum + writes, 0);
      outage.see(second, confirmed);
    });
    const nextName = settings.retry ? writeNames() : undefined;
    const { change } = settings;
    const coroutines = columns.map(
      (counts) => new Coroutine({ proposers, ledger, counts, random: forkedFrom(random), time, note, nextName, change }),
    );
    let failures = 0;
    const failed = (error: unknown): void => {
      failures += 1;
      note('failed', error instanceof Error ? error.message : String(error));
      stop.abort();
    };
    funnel.start((second) => {
      if (second >= (settings.seconds ?? Infinity)) stop.abort();
    });
    const giveUp = new AbortController();
    const ends = coroutines.map((coroutine) => coroutine.run(stop.signal, giveUp.signal).catch(failed));
    await aborted(stop.signal);
    funnel.stop();
    await within(time, nextName ? OUTCOMES_MS : IN_FLIGHT_MS, Promise.all(ends));
    giveUp.abort();

    const tallies = ledger.tallies();
    const touched = tallies.filter(({ start }) => start !== undefined).map(({ key }) => key);
    const { lines, ok } = judge(tallies, await readAll(touched, proposers, chances, time));
    print(lines.join('\n') + '\n');
    return ok && failures === 0;
  } finally {
    isOver = true;
    await proposers.close();
  }
}

/**
 * Reads every key once, so that the check knows all of them and a key of somebody else's is found before the first write. What cannot be
 * read now (nothing is configured, nobody answers) the coroutines will see first: see {@link Ledger}.
 */
async function firstLook(ledger: Ledger, proposers: Proposers, random: Random, note: Note, signal: AbortSignal): Promise<void> {
  for (const key of ledger.keys) {
    const proposer = proposers.choose(random(), key);
    if (!proposer || signal.aborted) return;
    try {
      const present = await read(proposers, ledger, proposer, key);
      if (present.ok || present.code !== 'NotConfigured') continue;
      noteRefusal(note, proposer, present);
      return;
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      noteSilence(note, proposer, error);
    }
  }
}
