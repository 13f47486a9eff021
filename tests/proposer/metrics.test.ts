import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FAILURE_REASONS } from '../../proposer/counts.js';
import { createMetrics } from '../../proposer/metrics.js';
import { DEFAULT_LIMITS } from '../../src/store/limits.js';
import { acceptorName, Cluster, configurationOf, majorities } from '../cluster.js';
import type { ProposerProcess } from '../proposer-process.js';
import type { RedisServer } from '../redis-server.js';

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The text of /metrics, as Prometheus reads it. */
class Metrics {
  readonly series: readonly Series[];
  /** By the name of the metric: counter, gauge, histogram. */
  readonly kinds: ReadonlyMap<string, string>;

  constructor(text: string) {
    const lines = text.split('\n').filter((line) => line !== '');
    this.kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', kind = '']) => [name, kind]));
    this.series = lines
      .filter((line) => !line.startsWith('#'))
      .map((line) => {
        const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
        const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text]);
        return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
      });
  }

  static async of({ adminAddress }: ProposerProcess): Promise<Metrics> {
    const response = await fetch(`http://${adminAddress}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    return new Metrics(await response.text());
  }

  /** The series of a metric that are not 0, by the values of their labels: `read ok`. */
  all(name: string): Record<string, number> {
    const series = this.series.filter((one) => one.name === `caspaxos_${name}` && one.value !== 0);
    return Object.fromEntries(series.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
  }
}

/** One acceptor: its answers decide, and no other one's comes later. */
const alone = (proposers: number): Promise<Cluster> => Cluster.forThisTest({ acceptors: 1, proposers });

const A1 = acceptorName(1);

const setMemoryLimit = (acceptor: RedisServer): Promise<unknown> => acceptor.ask((redis) => redis.config('SET', 'maxmemory', '100mb'));

describe('the metrics', () => {
  it('have the labels that the alerts of docs/operations.md go by, and the reasons that it lists', () => {
    const { registry } = createMetrics(() => ({ era: 0, isConfigured: true, acceptors: [] }));
    const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const used = [...page.matchAll(/(caspaxos_\w+)\{([^}]*)\}/g)].flatMap(([, name = '', selector = '']) =>
      [...selector.matchAll(/(\w+)(?:=|!=|=~|!~)"/g)].map(([, label = '']) => [name.replace(/_bucket$/, ''), label] as const),
    );
    expect(used.length).toBeGreaterThan(5);
    for (const [name, label] of used)
      expect([name, registry.getSingleMetric(name)]).toEqual([
        name,
        expect.objectContaining({ labelNames: expect.arrayContaining([label]) as unknown }),
      ]);
    const row = /caspaxos_acceptor_failures_total`[^|]*\|[^|]*\|[^|]*The reasons: ([^|.]*)\./.exec(page)?.[1];
    expect(row?.replace(/ \(what the server answered\)/, '').split(', ')).toEqual(FAILURE_REASONS);
  });

  it('are those that docs/operations.md lists, with its labels', async () => {
    const cluster = await alone(1);
    await cluster.proposer(1).kv.put('k', 0, 'value');
    await setMemoryLimit(cluster.acceptor(1));
    await expect
      .poll(async () => (await Metrics.of(cluster.proposer(1))).all('acceptor_memory_used_ratio'), { timeout: 20_000 })
      .toHaveProperty([A1]);
    const { series, kinds } = await Metrics.of(cluster.proposer(1));
    const documented = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8').matchAll(
      /^\| `(caspaxos_\w+)` *\|([^|]*)\|/gm,
    );
    const listed = [...documented].map(([, name = '', labels = '']) => [name, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)]);
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(
        [...kinds.keys()]
          .filter((name) => name.startsWith('caspaxos_'))
          .map((name) => {
            const one = series.find((candidate) => candidate.name === name || candidate.name === `${name}_bucket`);
            return [name, Object.keys(one?.labels ?? { missing: '' }).filter((label) => label !== 'le')];
          }),
      ),
    );
    // The names follow their kinds.
    for (const [name, kind] of kinds)
      if (name.startsWith('caspaxos_')) expect([name, kind === 'counter']).toEqual([name, name.endsWith('_total')]);
    expect([...kinds.keys()]).toEqual(expect.arrayContaining(['process_start_time_seconds', 'nodejs_eventloop_lag_seconds']));
  });

  it('count operations by outcome, what they took, and whom they asked', async () => {
    const cluster = await alone(1);
    const { kv, impatient, admin } = cluster.proposer(1);
    const { era } = await configurationOf(cluster.proposer(1));
    await kv.get('k'); // by quorum: nothing is there
    await kv.put('k', 0, 'value'); // prepare, accept
    await kv.put('k', 1, 'value'); // accept
    await kv.put('k', 7, 'value'); // misses, which a read shows
    await kv.get('k');
    await impatient.get('k'); // a round, too
    await admin.rescan(era, ['k', 'l', 'm']); // prepare, accept each

    const metrics = await Metrics.of(cluster.proposer(1));
    expect(metrics.all('operations_total')).toEqual({ 'read ok': 3, 'write ok': 2, 'write VersionMismatch': 1, 'rescan ok': 3 });
    expect(metrics.all('operation_duration_seconds_count')).toEqual({ read: 3, write: 3, rescan: 3 });
    expect(metrics.all('operations_in_flight')).toEqual({});
    const asked = metrics.all('round_trips_total');
    expect(asked).toEqual({ read: 3, prepare: 4, accept: 6 });
    expect(metrics.all('piggybacked_promises_used_total')).toEqual({ '': 2 });
    expect(metrics.all('acceptor_calls_total')).toEqual(
      Object.fromEntries(Object.entries(asked).map(([phase, count]) => [`${A1} ${phase} ok`, count])),
    );
    expect(metrics.all('retries_total')).toEqual({});
    expect(metrics.all('unconfirmed_commits_total')).toEqual({});
  });

  it('are the same as JSON', async () => {
    const cluster = await alone(1);
    await cluster.proposer(1).kv.put('k', 0, 'value');
    const answer = await cluster.proposer(1).admin.metrics();
    const operations = answer.ok ? answer.body.find(({ name }) => name === 'caspaxos_operations_total') : undefined;
    expect(operations?.values).toEqual([{ value: 1, labels: { operation: 'write', outcome: 'ok' } }]);
  });

  it('count conflicts and retries where two proposers meet', async () => {
    const cluster = await alone(2);
    const [first, second] = [cluster.proposer(1), cluster.proposer(2)];
    const write = async (proposer: ProposerProcess, ver: number): Promise<void> => {
      expect(await proposer.kv.put('k', ver, 'value')).toMatchObject({ ok: true });
    };
    for (let ver = 0; ver < 5; ver += 1) await write(first, ver);
    expect(await second.impatient.put('k', 5, 'value')).toMatchObject({ ok: false, code: 'PrepareError' });
    const impatient = await Metrics.of(second);
    expect(impatient.all('operations_total')).toEqual({ 'write PrepareError': 1 });
    expect(impatient.all('acceptor_calls_total')).toEqual({ [`${A1} prepare conflict`]: 1 });
    expect(impatient.all('retries_total')).toEqual({});

    // It knows how far the first was, and by now that is further.
    for (let ver = 5; ver < 10; ver += 1) await write(first, ver);
    await write(second, 10);
    const patient = await Metrics.of(second);
    expect(patient.all('operations_total')).toEqual({ 'write PrepareError': 1, 'write ok': 1 });
    expect(patient.all('acceptor_calls_total')).toMatchObject({ [`${A1} prepare conflict`]: 2, [`${A1} accept ok`]: 1 });
    expect(patient.all('retries_total')).toEqual({ '': 1 });
    expect(patient.all('unconfirmed_commits_total')).toEqual({});

    // A round of the first overtakes the second one's promise, though not its version: that write is sent, and its outcome looked for.
    const { era } = await configurationOf(first);
    expect(await first.admin.rescan(era, ['k'])).toMatchObject({ ok: true, body: { done: 1 } });
    await write(second, 11);
    const overtaken = await Metrics.of(second);
    expect(overtaken.all('acceptor_calls_total')).toMatchObject({ [`${A1} accept conflict`]: 1, [`${A1} accept ok`]: 2 });
    expect(overtaken.all('unconfirmed_commits_total')).toEqual({ resolved: 1 });
    expect(overtaken.all('retries_total')).toEqual({ '': 1 });
  });

  it('count retries: of an operation that waits for a quorum, one for each further attempt', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 1, proposers: 1, env: { LOG_LEVEL: 'silent' } });
    await cluster.acceptor(1).kill9();
    const answer = await cluster.proposer(1).kv.put('k', 0, 'value');
    expect(answer).toMatchObject({ ok: false, code: 'PrepareError' });
    const metrics = await Metrics.of(cluster.proposer(1));
    const prepares = metrics.all('round_trips_total')['prepare'] ?? 0;
    expect(prepares).toBeGreaterThan(3);
    expect(metrics.all('retries_total')).toEqual({ '': prepares - 1 });
    // Between the rounds it looks by quorum whether the key is at another version by now.
    const { read: reads } = metrics.all('round_trips_total');
    expect(metrics.all('acceptor_calls_total')).toEqual({ [`${A1} prepare failed`]: prepares, [`${A1} read failed`]: reads });
    expect(metrics.all('operations_total')).toEqual({ 'write PrepareError': 1 });
  });

  it('count writes that no quorum confirmed, by whether their outcome was found out', async () => {
    const cluster = await Cluster.forThisTest({ proposers: 1 });
    const proposer = cluster.proposer(1);
    const hang = (act: 'pause' | 'resume'): void => [2, 3].forEach((number) => cluster.acceptor(number)[act]());
    await proposer.kv.put('k', 0, 'value');

    hang('pause');
    const found = proposer.kv.put('k', 1, 'value');
    await expect.poll(async () => (await Metrics.of(proposer)).all('operations_in_flight')).toEqual({ write: 1 });
    await sleep(DEFAULT_LIMITS.acceptorTimeoutMs);
    hang('resume');
    expect(await found).toMatchObject({ ok: true });
    expect((await Metrics.of(proposer)).all('unconfirmed_commits_total')).toEqual({ resolved: 1 });

    hang('pause');
    expect(await proposer.kv.put('k', 2, 'value')).toMatchObject({ ok: false, code: 'CommitError' });
    hang('resume');
    const metrics = await Metrics.of(proposer);
    expect(metrics.all('unconfirmed_commits_total')).toEqual({ resolved: 1, unresolved: 1 });
    expect(metrics.all('operations_total')).toEqual({ 'write ok': 2, 'write CommitError': 1 });
    expect(metrics.all('operations_in_flight')).toEqual({});
    expect(metrics.all('acceptor_calls_total')).toMatchObject({
      [`${acceptorName(2)} accept failed`]: expect.any(Number) as unknown,
      [`${acceptorName(3)} prepare failed`]: expect.any(Number) as unknown,
    });
    // Of an operation that took long, the histogram says so.
    const slow = metrics.series.filter(({ name, labels }) => name.endsWith('_bucket') && labels['operation'] === 'write');
    const upTo = (bound: string): number | undefined => slow.find(({ labels }) => labels['le'] === bound)?.value;
    expect([upTo('0.3'), upTo('4'), upTo('+Inf')]).toEqual([1, 3, 3]);
  });

  it('say which configuration is in force, and which of its acceptors are there, as the ones that are meant', async () => {
    const cluster = await Cluster.forThisTest({ proposers: 1, configured: 0 });
    const proposer = cluster.proposer(1);
    const empty = await Metrics.of(proposer);
    expect(empty.series).toContainEqual({ name: 'caspaxos_configured', labels: {}, value: 0 });
    expect(empty.series).toContainEqual({ name: 'caspaxos_configuration_era', labels: {}, value: 0 });
    expect(empty.all('acceptor_ready')).toEqual({});

    await cluster.acceptor(2).kill9();
    const identities = { [acceptorName(3)]: 'somebody else' };
    expect(await proposer.admin.configure(0, { era: 7, ...majorities(3), identities })).toMatchObject({ ok: true });
    await proposer.kv.get('k');
    const metrics = await Metrics.of(proposer);
    expect(metrics.all('configured')).toEqual({ '': 1 });
    expect(metrics.all('configuration_era')).toEqual({ '': 7 });
    const ready = metrics.series.filter(({ name }) => name === 'caspaxos_acceptor_ready');
    expect(ready.map(({ labels, value }) => [labels['acceptor'], value])).toEqual([
      [acceptorName(1), 1],
      [acceptorName(2), 0],
      [acceptorName(3), 0],
    ]);
    expect(metrics.all('acceptor_calls_total')).toMatchObject({
      [`${acceptorName(1)} read ok`]: expect.any(Number) as unknown,
      [`${acceptorName(2)} read failed`]: expect.any(Number) as unknown,
      [`${acceptorName(3)} read stranger`]: expect.any(Number) as unknown,
    });
  });
});
