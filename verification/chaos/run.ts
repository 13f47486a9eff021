import { forkedFrom, randomFrom } from '../../client/random.js';
import { History } from '../checkers/history.js';
import type { Time } from '../../src/protocol/time.js';
import { demandsWrites } from './availability.js';
import { Clients } from './clients.js';
import { Requests } from './requests.js';
import type { ChaosCluster } from './cluster.js';
import { DiskProbe, openUnnamed } from './disk-probe.js';
import { saveEvidence, writeHistories } from './evidence-file.js';
import { FIRST, Migration } from './migration.js';
import { pause } from './pause.js';
import { Saboteur } from './saboteur.js';
import type { ChaosSettings } from './settings.js';
import { isSilent, Throughput, timelineHeader, timelineLine } from './timeline.js';
import { type Evidence, judge } from './verdict.js';

const SECOND_MS = 1_000;
/** For the step under way to be finished once all is mended: a command that hangs is ended after 20 s, and typed again. */
const LAST_STEP_MS = 45_000;
/** For all open outcomes to be asked for then, and all keys to be read. */
const READ_ALL_MS = 10_000;

export interface Console {
  readonly print: (line: string) => void;
  /** Marks what must not be. */
  readonly alarm: (text: string) => string;
}

/** Gives the new cluster its first acceptor. Rejects where that does not succeed at once: nothing is broken yet. */
export async function configure(cluster: ChaosCluster, time: Time): Promise<void> {
  const operator = new Migration(cluster, time, () => 0, randomFrom(0));
  for (const step of FIRST) await operator.take(step, AbortSignal.abort());
}

/**
 * Runs clients, faults and membership changes against a configured cluster until the time is over or `stop`, mends everything, and judges.
 * @returns whether all was in order
 */
export async function run(
  settings: ChaosSettings,
  cluster: ChaosCluster,
  time: Time,
  { print, alarm }: Console,
  stop: AbortController,
): Promise<boolean> {
  const random = randomFrom(settings.seed);
  const begunMs = time.nowMs();
  const elapsedMs = (): number => Math.round(time.nowMs() - begunMs);
  const history = new History(elapsedMs);
  const throughput = new Throughput();
  const migration = new Migration(cluster, time, elapsedMs, forkedFrom(random), () => history.noteCollection());
  const saboteur = new Saboteur(cluster, time, elapsedMs, forkedFrom(random));
  const requests = new Requests({
    addressOf: (proposer) => cluster.addressOf(proposer),
    history,
    time,
    onOutcome: (request, outcome) => throughput.add(elapsedMs(), request, outcome),
  });
  const clients = new Clients({ requests, time, random: forkedFrom(random) });

  const file = await openUnnamed(cluster.folder);
  const sync = async (): Promise<void> => {
    await file.write('.', 0);
    await file.sync();
  };
  const disk = new DiskProbe(sync, time, elapsedMs);

  const failures: string[] = [];
  const failed = (error: unknown): void => {
    failures.push(error instanceof Error ? error.message : String(error));
    stop.abort();
  };
  const giveUp = new AbortController();
  const probed = disk.run(stop.signal).catch(failed);
  const clientsEnded = clients.run(stop.signal).catch(failed);
  const mended = saboteur.run(stop.signal).catch(failed);
  const migrated = migration.run(stop.signal, giveUp.signal).catch(failed);

  let demanded = 0;
  const silent: number[] = [];
  print(timelineHeader());
  let second = 0;
  for (; (second + 1) * SECOND_MS <= settings.durationMs; second += 1) {
    await pause(time, (second + 1) * SECOND_MS - elapsedMs(), stop.signal);
    if (stop.signal.aborted) break;
    const faults = [...saboteur.spans, ...disk.stalls];
    const isDemanded = demandsWrites(second * SECOND_MS, (second + 1) * SECOND_MS, faults, migration.spans);
    const line = { number: second, counts: throughput.of(second), demanded: isDemanded, step: migration.label, faults };
    if (isDemanded) demanded += 1;
    if (isSilent(line)) silent.push(second);
    print(timelineLine(line, alarm));
  }
  await pause(time, settings.durationMs - elapsedMs(), stop.signal);
  stop.abort();

  print('Mending everything, finishing the step under way, asking for every open outcome and for every key');
  await Promise.all([mended, clientsEnded, probed]);
  await file.close();
  const cancel = time.after(LAST_STEP_MS, () => giveUp.abort());
  await migrated;
  cancel();
  const { finals, untold } = await clients.finish(time.nowMs() + READ_ALL_MS);
  await requests.close();

  const evidence: Evidence = {
    history,
    finals,
    untold,
    total: throughput.total,
    repeats: clients.repeats,
    faults: saboteur.spans,
    stalls: disk.stalls,
    migration,
    seconds: second,
    demanded,
    silent,
    failures,
  };
  const verdict = judge(evidence);
  print(`\nVerdict after ${second} s (${settings.mode}, seed ${settings.seed})`);
  for (const line of verdict.lines) print(/^[A-Z]{2,}|VIOLATED|NO WRITE/.test(line) ? alarm(line) : line);
  if (settings.history !== undefined) for (const line of writeHistories(settings.history, history.operations)) print(line);
  if (!verdict.ok) print(`The history is in ${saveEvidence(settings, evidence, migration.spans, verdict.violations)}`);
  return verdict.ok;
}
