import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { freePort, isFree } from '../redis-server.js';

const ACCEPTOR = path.resolve(import.meta.dirname, '../../acceptor');
const SERVER = process.env['REDIS_SERVER'] ?? 'redis-server';
const FILES = 'appendonlydir';
const MANIFEST = `${FILES}/appendonly.aof.manifest`;
const BASE = `${FILES}/appendonly.aof.1.base.rdb`;
const INCREMENT = `${FILES}/appendonly.aof.1.incr.aof`;
const HELD_STATUS = 3;
const COMMAND = '*3\r\n$3\r\nSET\r\n$4\r\nlate\r\n$5\r\nvalue\r\n';
/** Such a file has no more room for what a test writes; what the acceptor has written when it starts fits in easily. */
const LIMIT_BYTES = 64 * 1024;

let folder: string;
let port: number;
beforeEach(async () => {
  port = await freePort();
  folder = mkdtempSync(path.join(tmpdir(), 'start-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const inFolder = (name: string): string => path.join(folder, name);
const contentOf = (name: string): Buffer => readFileSync(inFolder(name));

/** `acceptor/start.sh`, as the leader of a process group: so the container's init and the supervisor start it. */
class Started {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #port = port;
  readonly redis = new Redis({ port, lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: (times) => (times > 400 ? null : 25) });
  said = '';

  /** @param through what to type before it */
  constructor({ through = [] as string[], stay = false, plain = false, args = [] as string[], env = process.env } = {}) {
    const server = [SERVER, path.join(ACCEPTOR, 'redis.conf'), '--port', String(port), '--bind', '127.0.0.1', ...args];
    const start = plain ? [] : ['sh', path.join(ACCEPTOR, 'start.sh'), ...(stay ? ['--stay'] : [])];
    const [command = '', ...rest] = [...through, ...start, ...server];
    this.#process = spawn(command, rest, { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    this.#ended = once(this.#process, 'close');
    this.redis.on('error', () => undefined);
    onTestFinished(() => this.kill());
  }

  /** Resolves when Redis answers. */
  async serves(): Promise<this> {
    await this.redis.ping();
    return this;
  }

  /** Resolves as soon as it has said that: a poll comes later. */
  async says(text: string): Promise<void> {
    while (!this.said.includes(text)) await once(this.#process.stdout ?? this.#process, 'data');
  }

  isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** To all of it, as the supervisor does it; or to start.sh alone, as an init does it. */
  signal(signal: NodeJS.Signals, whom: 'all' | 'script' = 'all'): void {
    const { pid } = this.#process;
    if (pid !== undefined && this.isAlive()) process.kill(whom === 'all' ? -pid : pid, signal);
  }

  /** Resolves with the exit code when nothing of it is left. */
  async ended(): Promise<number | null> {
    await this.#ended;
    this.redis.disconnect();
    return this.#process.exitCode;
  }

  /** Resolves when the next one can listen, too: what is read here are the pipes of start.sh, and Redis, which writes into another one, may end after it. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
    for (let tries = 0; tries < 100 && !(await isFree(this.#port)); tries += 1) await sleep(50);
  }
}

/** A folder as a killed acceptor leaves it that has acknowledged `a` and, last, `b`. */
async function acknowledgeTwo(): Promise<void> {
  const acceptor = await new Started().serves();
  await acceptor.redis.set('a', 'first');
  await acceptor.redis.set('b', 'second');
  await acceptor.kill();
}

const both = (acceptor: Started): Promise<(string | null)[]> => acceptor.redis.mget('a', 'b');
const kept = ['first', 'second'];
const zeros = (count: number): Buffer => Buffer.alloc(count);

describe('zeros at the end of the append-only file, as a file system leaves them that lost its power', () => {
  test('keep Redis itself from starting', async () => {
    await acknowledgeTwo();
    appendFileSync(inFolder(INCREMENT), zeros(100));
    const alone = new Started({ plain: true });
    expect(await alone.ended()).toBe(1);
    expect(alone.said).toContain('Bad file format');
  });

  test.each([1, 2, 3, 4_095, 4_096, 4_097, 1_000_003])('are cut off, %d of them: all that was acknowledged is there', async (count) => {
    await acknowledgeTwo();
    const sound = contentOf(INCREMENT);
    appendFileSync(inFolder(INCREMENT), zeros(count));
    const acceptor = await new Started().serves();
    expect(await both(acceptor)).toEqual(kept);
    expect(contentOf(INCREMENT)).toEqual(sound);
    await expect.poll(() => acceptor.said).toContain(`${count} zero bytes at the end of ${INCREMENT} were cut off`);
  });

  test('are cut off after half a command, too, and Redis cuts off that one', async () => {
    await acknowledgeTwo();
    appendFileSync(inFolder(INCREMENT), Buffer.concat([Buffer.from(COMMAND.slice(0, -9)), zeros(5_000)]));
    const acceptor = await new Started().serves();
    expect(await both(acceptor)).toEqual(kept);
    expect(await acceptor.redis.exists('late')).toBe(0);
  });

  test('are cut off where there is nothing else', async () => {
    await acknowledgeTwo();
    writeFileSync(inFolder(INCREMENT), zeros(3_000));
    const acceptor = await new Started().serves();
    expect(contentOf(INCREMENT)).toHaveLength(0);
    expect(await acceptor.redis.dbsize()).toBe(0);
  });

  test('are cut off the last increment, not another one', async () => {
    await acknowledgeTwo();
    const second = INCREMENT.replace('.1.', '.2.');
    appendFileSync(inFolder(MANIFEST), `file ${path.basename(second)} seq 2 type i\n`);
    writeFileSync(inFolder(second), Buffer.concat([Buffer.from(COMMAND), zeros(10)]));
    const acceptor = await new Started().serves();
    expect(await acceptor.redis.get('late')).toBe('value');
    await acceptor.kill();

    appendFileSync(inFolder(INCREMENT), zeros(10));
    const damaged = new Started();
    expect(await damaged.ended()).toBe(HELD_STATUS);
    expect(contentOf(INCREMENT).subarray(-10)).toEqual(zeros(10));
  });

  test('elsewhere are damage: they stay, and the acceptor is held, with the words that keep an operator from repairing it', async () => {
    await acknowledgeTwo();
    appendFileSync(inFolder(INCREMENT), Buffer.concat([zeros(64), Buffer.from(COMMAND)]));
    const damaged = contentOf(INCREMENT);
    const acceptor = new Started();
    expect(await acceptor.ended()).toBe(HELD_STATUS);
    expect(contentOf(INCREMENT)).toEqual(damaged);
    expect(acceptor.said).toMatch(/HELD[^]*NEVER repair it with "redis-check-aof --fix"[^]*start it/);
    expect(existsSync(inFolder('held'))).toBe(false);
  });

  test('of a value are no business of it', async () => {
    const acceptor = await new Started().serves();
    await acceptor.redis.set('zeros', zeros(9_000));
    await acceptor.kill();
    const again = await new Started().serves();
    expect(await again.redis.getBuffer('zeros')).toEqual(zeros(9_000));
    expect(again.said).not.toContain('cut off');
  });

  test('of a base file are no business of it', async () => {
    const acceptor = await new Started({ args: ['--rdbchecksum', 'no'] }).serves();
    await acceptor.kill();
    const base = contentOf(BASE);
    expect(base.subarray(-8)).toEqual(zeros(8));
    writeFileSync(inFolder(MANIFEST), `file ${path.basename(BASE)} seq 1 type b\n`);
    await new Started().serves();
    expect(contentOf(BASE)).toEqual(base);
  });
});

test('what a killed rewrite left is removed, and nothing else', async () => {
  await acknowledgeTwo();
  const left = ['temp-rewriteaof-7.aof', 'temp-rewriteaof-bg-7.aof', 'temp-7.rdb', `${FILES}/temp-appendonly.aof.manifest`];
  for (const name of [...left, 'temp-notes.txt']) writeFileSync(inFolder(name), 'half');
  expect(await both(await new Started().serves())).toEqual(kept);
  expect(left.filter((name) => existsSync(inFolder(name)))).toEqual([]);
  // The script takes its pipe away when both ends are open: Redis may answer before.
  await expect.poll(() => readdirSync(folder).sort()).toEqual([FILES, 'temp-notes.txt']);
});

describe('append-only files without their manifest', () => {
  test('are not started on: Redis would start empty, and bring old values back later', async () => {
    await acknowledgeTwo();
    rmSync(inFolder(MANIFEST));
    const before = readdirSync(inFolder(FILES));
    const acceptor = new Started();
    expect(await acceptor.ended()).toBe(HELD_STATUS);
    expect(acceptor.said).toMatch(/HELD[^]*its manifest, .* is not[^]*Move the folder/);
    expect(acceptor.said).not.toContain('Redis is starting');
    expect(readdirSync(inFolder(FILES))).toEqual(before);
  });

  test('are, where a first start was killed before it had written one', async () => {
    const acceptor = await new Started().serves();
    await acceptor.kill();
    rmSync(inFolder(MANIFEST));
    expect(contentOf(INCREMENT)).toHaveLength(0);
    await new Started().serves();
  });
});

describe('append-only files that are not whole, as a copy leaves them whose disk was full, are damage:', () => {
  const ruins: Record<string, () => void> = {
    'an empty manifest': () => writeFileSync(inFolder(MANIFEST), ''),
    'a torn manifest': () => writeFileSync(inFolder(MANIFEST), contentOf(MANIFEST).subarray(0, 30)),
    'an increment that is missing': () => rmSync(inFolder(INCREMENT)),
  };
  test.each(Object.keys(ruins))('%s', async (what) => {
    await acknowledgeTwo();
    ruins[what]?.();
    const acceptor = new Started();
    expect(await acceptor.ended()).toBe(HELD_STATUS);
    expect(acceptor.said).toMatch(/HELD[^]*Its append-only file is damaged, or a part of it is missing/);
  });
});

test('files of a newer server are no damage: they are to stay, and to be read by the server that wrote them', async () => {
  await acknowledgeTwo();
  const written = contentOf(BASE);
  // REDIS and four digits, which the checksum at the end covers: it is looked at after them.
  writeFileSync(inFolder(BASE), Buffer.concat([Buffer.from('REDIS9000'), written.subarray(9)]));
  const acceptor = new Started();
  expect(await acceptor.ended()).toBe(HELD_STATUS);
  expect(acceptor.said).toMatch(/HELD[^]*written by a newer version or another kind of Redis[^]*start it with the server that wrote them/);
  expect(acceptor.said).not.toMatch(/is damaged|out of the way/);
  writeFileSync(inFolder(BASE), written);
  expect(await both(await new Started().serves())).toEqual(kept);
});

describe('an acceptor whose disk refused a write or a sync', () => {
  /** Writes until its file must not grow any more, which is what a full disk looks like. Resolves with the keys that were acknowledged. */
  async function fill(acceptor: Started): Promise<string[]> {
    await acceptor.serves();
    const acknowledged: string[] = [];
    acceptor.redis.options.maxRetriesPerRequest = 0;
    for (let number = 0; number < 100; number += 1) {
      const key = `key ${number}`;
      const answer = await acceptor.redis.set(key, 'v'.repeat(5_000)).catch(() => 'lost');
      if (answer !== 'OK') break;
      acknowledged.push(key);
    }
    return acknowledged;
  }
  // The shell's unit is half a kilobyte. Without the trap the limit is a signal that ends Redis, and no error.
  const limited = ['sh', '-c', `trap '' XFSZ; ulimit -f ${LIMIT_BYTES / 512}; exec "$@"`, 'sh'];

  test('is held, whoever starts it, until somebody removes what says so: then all that was acknowledged is there', async () => {
    const full = new Started({ through: limited });
    const acknowledged = await fill(full);
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(await full.ended()).toBe(HELD_STATUS);
    expect(full.said).toMatch(
      /AOF fsync policy is 'always'[^]*HELD[^]*Its disk counts as lost[^]*empty its data folder[^]*remove the file "held" alone/,
    );
    expect(contentOf('held').toString()).toContain('HELD');

    for (let attempt = 0; attempt < 2; attempt += 1) {
      const again = new Started();
      expect(await again.ended()).toBe(HELD_STATUS);
      expect(again.said).toMatch(/HELD[^]*remove the file "held" alone/);
      expect(again.said).not.toContain('Redis is starting');
    }

    rmSync(inFolder('held'));
    const mended = await new Started().serves();
    expect(await mended.redis.exists(...acknowledged)).toBe(acknowledged.length);
  });

  test('is held also where the disk does not even take what says so', async () => {
    // Nobody can write through it, and nobody finds anything there.
    symlinkSync(inFolder('nowhere/held'), inFolder('held'));
    const full = new Started({ through: limited });
    await fill(full);
    expect(await full.ended()).toBe(HELD_STATUS);
    expect(full.said).toMatch(/HELD[^]*Its disk counts as lost/);
  });

  test('stays and serves nothing, where its caller starts whatever ends; it ends when it is told to', async () => {
    const full = new Started({ through: limited, stay: true });
    await fill(full);
    await expect.poll(() => full.said).toContain('HELD');
    await sleep(300);
    expect(full.isAlive()).toBe(true);
    await expect(full.redis.ping()).rejects.toThrow();
    full.signal('SIGTERM', 'script');
    expect(await full.ended()).toBe(0);

    const again = new Started({ stay: true });
    await again.says('HELD');
    again.signal('SIGTERM');
    expect(await again.ended()).toBe(0);
    expect(again.said).not.toContain('Redis is starting');
  });

  test('ends whole whenever it is told to, also between two commands of its script: nothing of it goes on', async () => {
    writeFileSync(inFolder('held'), '');
    for (let turn = 0; turn < 24; turn += 1) {
      const held = new Started({ stay: true });
      await held.says('HELD');
      await sleep(turn % 4);
      held.signal('SIGTERM', turn % 2 ? 'script' : 'all');
      expect(await held.ended()).toBe(0);
    }
  }, 60_000);

  test('is held also where that shows before the start: what was killed left pages that cannot be written', async () => {
    await acknowledgeTwo();
    const tools = inFolder('tools');
    mkdirSync(tools);
    writeFileSync(path.join(tools, 'sync'), '#!/bin/sh\necho "sync: Input/output error" >&2\nexit 1\n');
    chmodSync(path.join(tools, 'sync'), 0o755);
    const acceptor = new Started({ env: { ...process.env, PATH: `${tools}:${process.env['PATH'] ?? ''}` } });
    expect(await acceptor.ended()).toBe(HELD_STATUS);
    expect(acceptor.said).toMatch(/could not be synced[^]*counts as lost/);
    expect(acceptor.said).not.toContain('Redis is starting');
    expect(await new Started().ended()).toBe(HELD_STATUS);
  });
});

describe('the note for those who do not see its log', () => {
  const noted = (): { env: NodeJS.ProcessEnv } => ({ env: { ...process.env, HELD_NOTE: inFolder('note') } });
  const removeManifest = (): void => rmSync(inFolder(MANIFEST));

  test('says while it is held what its log says, and is gone at the next start', async () => {
    await acknowledgeTwo();
    removeManifest();
    const held = new Started(noted());
    expect(await held.ended()).toBe(HELD_STATUS);
    expect(contentOf('note').toString()).toMatch(/^This acceptor is HELD: [^]*its manifest, .* is not: /);
    expect(held.said).toContain(contentOf('note').toString());

    rmSync(inFolder(FILES), { recursive: true });
    await new Started(noted()).serves();
    expect(existsSync(inFolder('note'))).toBe(false);
  });

  test('hinders nothing where it cannot be written', async () => {
    await acknowledgeTwo();
    removeManifest();
    const held = new Started({ env: { ...process.env, HELD_NOTE: inFolder('nowhere/note') } });
    expect(await held.ended()).toBe(HELD_STATUS);
    expect(held.said).toMatch(/^This acceptor is HELD: /);
  });
});

describe('any other end is none of a disk, and no reason to be held', () => {
  test('SIGTERM ends Redis in good order, also where only the script hears it', async () => {
    for (const whom of ['all', 'script'] as const) {
      const acceptor = await new Started().serves();
      acceptor.signal('SIGTERM', whom);
      expect(await acceptor.ended()).toBe(0);
      expect(acceptor.said).toContain('ready to exit');
      expect(readdirSync(folder)).toEqual([FILES]);
    }
  });

  test('SIGKILL of Redis is told as that', async () => {
    const acceptor = await new Started().serves();
    const { pid } = /process_id:(?<pid>\d+)/.exec(await acceptor.redis.info('server'))?.groups ?? {};
    process.kill(Number(pid), 'SIGKILL');
    expect(await acceptor.ended()).toBe(128 + 9);
    expect(readdirSync(folder)).toEqual([FILES]);
    await new Started().serves();
  });

  test('a start that fails ends as Redis ends', async () => {
    const acceptor = new Started({ args: ['--no-such-setting', 'yes'] });
    expect(await acceptor.ended()).toBe(1);
    expect(acceptor.said).not.toContain('HELD');
    expect(readdirSync(folder)).toEqual([FILES]);
  });
});
