import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Program, type Running } from './program.js';
import { onWrite, StandIn } from './stand-in.js';

let program: Program;
let standIn: StandIn;
beforeAll(() => {
  program = new Program();
});
afterAll(() => program.close());
beforeEach(async () => {
  standIn = await StandIn.start();
  standIn.latencyMs = 10;
});
afterEach(() => standIn.close());

const start = (...args: string[]): Running => program.start(args, JSON.stringify(standIn.addressMap));
const LINE = /^\d+(\t\[\d+-\d+-\d+ \d+\]){3}$/;

describe('the client, as a program', () => {
  it('prints the header and the lines of the spec, one per second, and then the check', async () => {
    const client = start('--seconds', '3');
    expect(await client.ended).toBe(0);
    const texts = client.lines.map(({ text }) => text);
    expect(texts.slice(0, 4)).toEqual(['# proposers: 2', '# keys: 9', '# clients: 3', '0\t[0-0-0 0]\t[0-0-0 0]\t[0-0-0 0]']);
    expect(client.funnel.map(({ second }) => second)).toEqual([0, 1, 2, 3]);
    for (const text of texts.slice(3, 7)) expect(text).toMatch(LINE);
    for (const { columns } of client.funnel.slice(1)) {
      for (const [attempts = 0, reads = 0, writes = 0, errors] of columns) {
        expect(attempts).toBeGreaterThan(0);
        expect(reads).toBeLessThanOrEqual(attempts + 1);
        expect(writes).toBeGreaterThan(0);
        expect(errors).toBe(0);
      }
    }
    const total = [...standIn.store.values()].reduce((sum, { val }) => sum + (val as number), 0);
    expect(texts.filter((text) => /^# key-\d: (\d+) acknowledged <= \1 grown <= \1 \+ 0 unknown: OK$/.test(text))).toHaveLength(9);
    expect(texts.at(-1)).toBe(`# in all: ${total} acknowledged <= ${total} grown <= ${total} + 0 unknown: nothing lost`);
    expect(client.stderr).toBe('');
    expect([...standIn.store.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => `key-${index}`));
  });

  it('keeps the lines at their seconds', async () => {
    const client = start('--seconds', '4', '--clients', '16');
    await client.ended;
    const times = client.lines.filter(({ text }) => /^\d/.test(text)).map(({ atMs }) => atMs);
    times.forEach((atMs, second) => expect(Math.abs(atMs - (times[0] ?? 0) - second * 1_000)).toBeLessThan(2_000));
    expect(times).toHaveLength(5);
  });

  it('tells the truth in its header', async () => {
    const client = start('--seconds', '1', '--proposers', 'proposer-2:8080', '--keys', '2', '--clients', '5', '--key-prefix', 'my key/');
    expect(await client.ended).toBe(0);
    expect(client.stdout).toMatch(/^# proposers: 1\n# keys: 2\n# clients: 5\n0(\t\[0-0-0 0\]){5}\n1(\t\[\d+-\d+-\d+ 0\]){5}\n/);
    expect(new Set(standIn.seen.map(({ proposer }) => proposer))).toEqual(new Set([1]));
    expect([...standIn.store.keys()].sort()).toEqual(['my key/1', 'my key/2']);
  });

  it('asks for the raw contention only with --no-retry', async () => {
    await start('--seconds', '1', '--no-retry').ended;
    expect(new Set(standIn.seen.map(({ prefer }) => prefer))).toEqual(new Set(['wait=0']));
    standIn.seen.length = 0;
    await start('--seconds', '1').ended;
    expect(new Set(standIn.seen.map(({ prefer }) => prefer))).toEqual(new Set([undefined]));
  });

  it('sends each key to one proposer with --affinity, and to both without', async () => {
    const homes = (): number[] =>
      [...standIn.store.keys()].map((of) => new Set(standIn.seen.filter(({ key }) => key === of).map(({ proposer }) => proposer)).size);
    // Each is read at the start, however few turns a slow machine then makes of a second.
    for (let number = 1; number <= 9; number += 1) standIn.store.set(`key-${number}`, { ver: 1, val: 0 });
    await start('--seconds', '1', '--affinity').ended;
    expect([homes(), new Set(standIn.seen.map(({ proposer }) => proposer))]).toEqual([Array(9).fill(1), new Set([0, 1])]);
    standIn.seen.length = 0;
    // However slow the machine: with so many turns no key is left to one of them.
    const client = start();
    await expect.poll(homes, { timeout: 60_000 }).toEqual(Array(9).fill(2));
    client.child.kill('SIGINT');
    expect(await client.ended).toBe(0);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('makes the check after %s, counted from the values it found', async (signal) => {
    standIn.store.set('key-1', { ver: 9, val: 1_000 });
    const client = start();
    await client.printed(/^1\t/);
    client.child.kill(signal);
    expect(await client.ended).toBe(0);
    expect(client.stdout).toContain(': nothing lost');
    expect(client.stdout).toMatch(/# key-1: (\d{1,5}) acknowledged <= \1 grown/);
  });

  it.each(['lost', 'doubled'] as const)('finds an increment that was %s', async (fault) => {
    standIn.fault = onWrite(3, fault);
    const client = start('--seconds', '1');
    expect(await client.ended).toBe(1);
    const finding = fault === 'lost' ? 'LOST UPDATES' : 'GREW TOO MUCH';
    expect(client.stdout).toMatch(new RegExp(`# key-\\d: ${finding}: \\d+ acknowledged, \\d+ grown, 0 unknown \\(from 0 to \\d+\\)`));
    expect(client.stdout).toMatch(new RegExp(`# in all: .*${finding} \\(key-\\d\\)\n$`));
  });

  const FAULTS = ['commit error, applied', 'commit error, not applied', 'reset, applied', 'reset, not applied'] as const;

  /** A client whose third to sixth write, repetitions not counted, met a fault each; it is ended when all that came of them is printed. */
  async function afterEachFault(...args: string[]): Promise<{ client: Running; errors: number }> {
    const names = new Set<string>();
    let writes = 0;
    standIn.fault = ({ method, name }) => {
      if (method === 'GET' || (name !== undefined && names.has(name))) return undefined;
      if (name !== undefined) names.add(name);
      writes += 1;
      return FAULTS[writes - 3];
    };
    const client = start(...args);
    await expect.poll(() => writes, { timeout: 60_000 }).toBeGreaterThan(20);
    await client.printed(new RegExp(`^${(client.funnel.at(-1)?.second ?? 0) + 2}\t`));
    client.child.kill('SIGINT');
    expect(await client.ended).toBe(0);
    return {
      client,
      errors: client.funnel.flatMap(({ columns }) => columns.map((column) => column[3] ?? 0)).reduce((sum, count) => sum + count, 0),
    };
  }

  it('with --no-retry accepts a write of which it is not told, either way', async () => {
    const { client, errors } = await afterEachFault('--no-retry');
    expect(client.stdout).toMatch(/# in all: .* \+ 4 unknown: nothing lost\n$/);
    expect(errors).toBe(FAULTS.filter((fault) => fault.startsWith('reset')).length);
  });

  it.each([[[]], [['--change', 'add']]])(
    'finds out what became of a write of which it was not told (%j): the check is an equality',
    async (args) => {
      const { client, errors } = await afterEachFault(...args);
      expect(client.stdout).toMatch(/# in all: (\d+) acknowledged <= \1 grown <= \1 \+ 0 unknown: nothing lost\n$/);
      expect(errors).toBe(FAULTS.filter((fault) => fault.startsWith('reset')).length);
    },
  );

  it('finds out what became of a write that was still in flight at the end', async () => {
    let hanging = 0;
    standIn.fault = ({ method }) => (method === 'PUT' && standIn.seen.length > 20 && (hanging += 1) <= 1 ? 'hangs' : undefined);
    const client = start('--seconds', '1');
    expect(await client.ended).toBe(0);
    expect(client.stdout).toContain('+ 0 unknown: nothing lost');
  });

  it('says that an outcome stays unknown where nobody tells it, and how much the check then allows', async () => {
    const lost: string[] = [];
    standIn.fault = ({ method, name = '' }) => {
      if (method !== 'PUT') return undefined;
      if (lost.includes(name)) return { status: 410, code: 'OutcomeForgotten' };
      if (lost.length > 0 || standIn.seen.length < 20) return undefined;
      lost.push(name);
      return 'commit error, applied';
    };
    const client = start('--seconds', '1');
    expect(await client.ended).toBe(0);
    expect(client.stdout).toContain('+ 1 unknown: nothing lost');
    expect(client.stdout).toContain('# the outcome of 1 write stays unknown: the keys may have grown by so much more');
  });

  it('with --no-retry counts a write that is still in flight at the end as unknown', async () => {
    let hanging = 0;
    standIn.fault = ({ method }) => (method === 'PUT' && standIn.seen.length > 20 && (hanging += 1) <= 1 ? 'hangs' : undefined);
    const client = start('--seconds', '1', '--no-retry');
    expect(await client.ended).toBe(0);
    expect(client.stdout).toContain('+ 1 unknown: nothing lost');
  });

  it('with --change add sends one request for each increment, and reads a key only where it never saw it', async () => {
    const client = start('--seconds', '2', '--change', 'add');
    expect(await client.ended).toBe(0);
    for (const { columns } of client.funnel.slice(1)) {
      for (const [attempts = 0, reads, writes, errors] of columns) {
        expect(attempts).toBeGreaterThan(0);
        expect(reads).toBe(writes);
        expect(errors).toBe(0);
      }
    }
    const total = [...standIn.store.values()].reduce((sum, { val }) => sum + (val as number), 0);
    expect(client.lines.at(-1)?.text).toBe(`# in all: ${total} acknowledged <= ${total} grown <= ${total} + 0 unknown: nothing lost`);
    expect(standIn.seen.filter(({ method }) => method === 'POST')).toHaveLength(total);
    // Nine before the first increment, nine for the check.
    expect(standIn.seen.filter(({ method }) => method === 'GET')).toHaveLength(18);
  });

  it('gives every write a name of its own, in each run others, but with --no-retry', async () => {
    for (let count = 0; count < 2; count += 1) await start('--seconds', '1', '--seed', '7').ended;
    const names = standIn.seen.filter(({ method }) => method === 'PUT').map(({ name }) => name);
    expect(names.length).toBeGreaterThan(5);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^"[\w.-]{10,20}"$/);
    standIn.seen.length = 0;
    await start('--seconds', '1', '--no-retry').ended;
    expect(new Set(standIn.seen.map(({ name }) => name))).toEqual(new Set([undefined]));
  });

  it('says which key it could not read', async () => {
    const client = start('--seconds', '1');
    await client.printed(/^0\t/);
    standIn.fault = ({ key }) => (key === 'key-3' ? { status: 503, code: 'PrepareError' } : undefined);
    expect(await client.ended).toBe(1);
    expect(client.stdout).toMatch(/# key-3: COULD NOT BE READ: proposer-\d answers PrepareError: as the test wants it; \d+ acknowledged/);
    expect(client.stdout).toMatch(/COULD NOT BE READ \(key-3\)\n$/);
    expect(client.stdout).toMatch(/# key-4: .*: OK/);
  });

  it('reads through the other proposer where one is gone, and later where both are gone for a while', async () => {
    const client = start();
    await client.printed(/^1\t/);
    await standIn.kill(0);
    await standIn.kill(1);
    client.child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(client.stdout).not.toContain('in all');
    await standIn.revive(1);
    expect(await client.ended).toBe(0);
    expect(client.stdout).toContain('nothing lost');
  });

  it('ends at once with a second signal', async () => {
    const client = start();
    await client.printed(/^1\t/);
    standIn.fault = () => ({ status: 503, code: 'PrepareError' });
    client.child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(client.child.exitCode).toBeNull();
    const startMs = performance.now();
    client.child.kill('SIGINT');
    expect(await client.ended).toBe(130);
    // The final check would try for 10 s.
    expect(performance.now() - startMs).toBeLessThan(8_000);
    expect(client.stdout).not.toContain('in all');
  });

  it('waits for a cluster that is not configured yet, says what to type, and is exact from the first write on', async () => {
    standIn.store.set('key-2', { ver: 4, val: 70 });
    standIn.fault = () => ({ status: 503, code: 'NotConfigured' });
    const client = start();
    await client.printed(/^2\t/);
    const attempts = client.funnel[2]?.columns.map(([sent]) => sent) ?? [];
    for (const sent of attempts) expect(sent).toBeGreaterThan(0);
    for (const sent of attempts) expect(sent).toBeLessThan(20);
    expect(client.stderr).toContain('./run-control.sh add-accept all acceptor-1:6379 1');
    expect(client.stderr).toContain('# One that had acceptors before: ./run-control.sh status');
    expect(client.stderr.match(/add-accept/g)).toHaveLength(1);
    standIn.fault = () => undefined;
    await client.printed(/^4\t/);
    client.child.kill('SIGINT');
    expect(await client.ended).toBe(0);
    expect(client.stdout).toContain('0 unknown: nothing lost');
  });

  it('says when writes are confirmed no more, what to type, and when they are again', async () => {
    const client = start();
    await client.printed(/^1\t/);
    standIn.fault = () => ({ status: 503, code: 'PrepareError' });
    await expect
      .poll(() => client.stderr, { timeout: 30_000 })
      .toMatch(
        /^# no write is confirmed since second \d+: proposer-\d answers PrepareError: as the test wants it\. The way out: \.\/run-control\.sh status\n$/,
      );
    standIn.fault = () => undefined;
    await expect.poll(() => client.stderr, { timeout: 30_000 }).toMatch(/\n# second \d+: writes are confirmed again\n$/);
    client.child.kill('SIGINT');
    expect(await client.ended).toBe(0);
  });

  it('says nothing of a request that its own end cuts off', async () => {
    let asked = 0;
    // The first look at the keys, which the clients wait for no longer than a second.
    standIn.fault = () => ((asked += 1) === 1 ? 'hangs' : undefined);
    const client = start('--seconds', '1');
    expect(await client.ended).toBe(0);
    expect(client.stderr).toBe('');
  });

  it('proves nothing where no key was ever read', async () => {
    standIn.fault = () => ({ status: 503, code: 'NotConfigured' });
    const client = start('--seconds', '1');
    expect(await client.ended).toBe(1);
    expect(client.stdout).toMatch(/# in all: NOTHING CHECKED: no key was ever read\n$/);
  });

  it('refuses keys that hold something else before it writes, and says what to do', async () => {
    standIn.store.set('key-9', { ver: 1, val: { of: 'somebody else' } });
    const client = start('--seconds', '2');
    expect(await client.ended).toBe(1);
    expect(client.stderr).toBe(
      'error: key-9 holds {"of":"somebody else"}, not a whole number: another program writes there. Choose keys of your own: --key-prefix NAME\n',
    );
    expect(client.stdout).toBe('');
    expect(standIn.store.size).toBe(1);
  });

  it('stops, and still makes the check, where a key turns into something else', async () => {
    const client = start();
    await client.printed(/^1\t/);
    standIn.store.set('key-5', { ver: 100_000, val: 'text' });
    expect(await client.ended).toBe(1);
    expect(client.stderr).toContain('key-5 holds "text"');
    expect(client.stdout).toContain('# key-5: NOT A NUMBER: "text"');
    expect(client.stdout).toMatch(/# key-1: .*: OK/);
  });

  it('does not end well after such a key, even where the check finds all in order again', async () => {
    const client = start();
    await client.printed(/^1\t/);
    const before = standIn.store.get('key-5');
    standIn.store.set('key-5', { ver: 100_000, val: 'text' });
    standIn.fault = ({ method, key }) => {
      if (method === 'GET' && key === 'key-5' && before) standIn.store.set(key, before);
      return undefined;
    };
    expect(await client.ended).toBe(1);
    expect(client.stderr).toContain('key-5 holds "text"');
    expect(client.stdout).toContain('nothing lost');
  });

  it('ends quietly where nobody reads its output any more', async () => {
    const path = join(program.folder, 'addresses.json');
    writeFileSync(path, JSON.stringify(standIn.addressMap));
    const command = '"$0" "$1" --seconds 20 | head -n 2; echo "${PIPESTATUS[0]}"';
    const shell = spawn('bash', ['-c', command, process.execPath, program.main], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ADDRESS_MAP: path },
    });
    let [stdout, stderr] = ['', ''];
    shell.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const startMs = performance.now();
    await once(shell, 'close');
    expect(stdout).toBe('# proposers: 2\n# keys: 9\n141\n');
    expect(stderr).toBe('');
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});
