import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { FolderInUse } from '../../../src/node/folder-lock.js';
import { StateFolder, stateFolder, UnusableState } from '../../../src/node/state-folder.js';
import { Cluster, configurationOf, majorities } from '../../cluster.js';
import { type Exit, type ProposerOptions, ProposerProcess } from '../../proposer-process.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'state-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

/** A small file system of its own on the folder. Root ignores the modes of files, so only a mount can be full or read-only. */
function mountTmpfs(context: TestContext, options: string): void {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    const reason = `this environment does not let us mount: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env['CI'] === 'true') throw new Error(reason, { cause: error });
    process.stderr.write(`NOT TESTED: ${context.task.name}: ${reason}\n`);
    context.skip(reason);
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
}

const remount = (mode: 'ro' | 'rw'): void => void execFileSync('mount', ['-o', `remount,${mode}`, folder]);

/** Takes all the room, but for some pages. */
function fill(freePages = 0): void {
  const path = join(folder, 'filler');
  const page = Buffer.alloc(4096);
  let pages = 0;
  try {
    for (; ; pages += 1) writeFileSync(path, page, { flag: 'a' });
  } catch {
    writeFileSync(path, Buffer.alloc(4096 * Math.max(0, pages - freePages)));
  }
}

async function proposerHere(options: ProposerOptions = {}): Promise<ProposerProcess> {
  const proposer = await ProposerProcess.prepare({ stateFolder: folder, ...options });
  onTestFinished(() => proposer.stop());
  return proposer;
}

async function refusedStart(proposer: ProposerProcess): Promise<Exit & { stderr: string }> {
  const exit = await proposer.launch();
  return { ...exit, stderr: proposer.stderr };
}

describe('a state folder that is full or read-only', () => {
  it.for([
    { kind: 'full', breakIt: () => fill(), mendIt: () => rmSync(join(folder, 'filler')) },
    { kind: 'read-only', breakIt: () => remount('ro'), mendIt: () => remount('rw') },
  ])(
    '($kind) refuses a change with StorageError; the old configuration stays in force and on disk',
    async ({ breakIt, mendIt }, context) => {
      mountTmpfs(context, 'size=128k');
      const cluster = await Cluster.forThisTest({ acceptors: 2, proposers: 0 });
      const proposer = await proposerHere({ addressMap: cluster.addressMap });
      await proposer.start();
      const present = { era: 1, ...majorities(1) };
      await proposer.admin.configure(0, present);
      const onDisk = proposer.stored('configuration.json');

      breakIt();
      const refused = await proposer.admin.configure(1, { era: 2, ...majorities(2) });
      expect(refused).toMatchObject({
        ok: false,
        status: 500,
        code: 'StorageError',
        message: expect.stringMatching(/ENOSPC|EROFS/) as string,
      });
      expect(await configurationOf(proposer)).toEqual(present);
      expect(proposer.stored('configuration.json')).toBe(onDisk);
      expect(await proposer.kv.put('a', 0, 1)).toMatchObject({ ok: true });
      await expect.poll(() => proposer.logged('could not be saved')).toHaveLength(1);

      mendIt();
      expect(existsSync(join(folder, 'configuration.json.new'))).toBe(false);
      expect(await proposer.admin.configure(1, { era: 2, ...majorities(2) })).toMatchObject({ ok: true });
      await proposer.end('SIGKILL');
      await proposer.start();
      expect(await configurationOf(proposer)).toEqual({ era: 2, ...majorities(2) });
    },
  );

  it('(nearly full) never puts half a file in place', (context) => {
    mountTmpfs(context, 'size=64k');
    const state = new StateFolder(folder);
    const small = { era: 1, ...majorities(1) };
    state.saveConfiguration(small);
    const long = { nodes: Array.from({ length: 300 }, (_, index) => `acceptor-${index}.example:6379`), quorum: 151 };
    fill(1);
    expect(() => state.saveConfiguration({ era: 2, prepare: long, accept: long })).toThrow(/ENOSPC/);
    expect(new StateFolder(folder).loadConfiguration()).toEqual(small);
  });

  it.for([
    { kind: 'full', breakIt: () => fill() },
    { kind: 'read-only', breakIt: () => remount('ro') },
  ])('($kind) means no start: exit 1, and one line that names it', async ({ breakIt }, context) => {
    mountTmpfs(context, 'size=64k');
    breakIt();
    const { code, stderr } = await refusedStart(await proposerHere());
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^proposer: [^\\n]*${basename(folder)}[^\\n]*(ENOSPC|EROFS)[^\\n]*\\n$`));
  });

  it('(read-only, after it was used) means no start either', async (context) => {
    mountTmpfs(context, 'size=64k');
    const proposer = await proposerHere();
    await proposer.start();
    await proposer.end('SIGKILL');
    remount('ro');
    const { code, stderr } = await refusedStart(proposer);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^proposer: [^\\n]*${basename(folder)}[^\\n]*EROFS[^\\n]*\\n$`));
  });
});

describe('a proposer', () => {
  it.each([
    ['configuration.json', '{"era":3,"prepare":{"nodes":["accep'],
    ['configuration.json', ''],
    ['configuration.json', 'null'],
    ['configuration.json', '{"era":1,"prepare":{"nodes":["a:1"],"quorum":2},"accept":{"nodes":[],"quorum":0}}'],
    ['incarnation.json', ''],
    ['incarnation.json', '"x"'],
    ['incarnation.json', '1.5'],
  ])('has no state in a torn %s (%j), which stays as it is: one line has the file and the reason', (name, text) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    const state = new StateFolder(folder);
    const load = (): unknown => (name === 'configuration.json' ? state.loadConfiguration() : state.raiseIncarnation(Date.now()));
    expect(load).toThrow(/^[^\n]*is torn or not ours \([^\n]+\)[^\n]*$/);
    expect(load).toThrow(file);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it.each(['configuration.json', 'incarnation.json'])('does not start from a torn %s: exit 1, and that line', async (name) => {
    const proposer = await proposerHere();
    proposer.store(name, '');
    const { code, stderr } = await refusedStart(proposer);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^proposer: [^\n]*is torn or not ours \([^\n]+\)[^\n]*\n$/);
    expect(stderr).toContain(join(folder, name));
    expect(stderr).toContain('run-control.sh copy OTHER-PROPOSER THIS-PROPOSER');
    expect(proposer.stored(name)).toBe('');
  });

  it('opens its folder in the process that was refused it, once the file is mended', async () => {
    const file = join(folder, 'configuration.json');
    writeFileSync(file, '');
    await expect(stateFolder(folder)).rejects.toThrow(UnusableState);
    rmSync(file);
    await (await stateFolder(folder)).close?.();
  });

  it('whose folder was moved leaves alone that of another one which began at its old path, and does not let a third one in', async () => {
    const path = join(folder, 'state');
    const first = await stateFolder(path);
    renameSync(path, join(folder, 'moved'));
    expect(() => first.saveConfiguration({ era: 1, ...majorities(1) })).toThrow(`${path} is not the folder that this proposer opened`);
    const second = await stateFolder(path);
    const configuration = { era: 5, ...majorities(1) };
    second.saveConfiguration(configuration);
    expect(() => first.saveConfiguration({ era: 6, ...majorities(2) })).toThrow('moved or removed');
    first.beats?.note('acceptor-1:6379#0123456789ab', 7);
    await first.close?.();
    await expect(stateFolder(path)).rejects.toThrow(FolderInUse);
    expect(new StateFolder(path).loadConfiguration()).toEqual(configuration);
    expect(existsSync(join(path, 'beats.json'))).toBe(false);
    await second.close?.();
  });

  it('starts where a crash left a half-written copy beside the file', async () => {
    const proposer = await proposerHere();
    const configuration = { era: 5, ...majorities(1) };
    proposer.store('configuration.json', JSON.stringify(configuration));
    proposer.store('configuration.json.new', '{"era":6,"pre');
    await proposer.start();
    expect(await configurationOf(proposer)).toEqual(configuration);
  });

  it('takes a state folder that does not exist yet, and one that is relative to where it is started', async () => {
    const proposer = await proposerHere({ workingFolder: dirname(folder), stateFolder: join(basename(folder), 'new', 'one') });
    await proposer.start();
    expect(readFileSync(join(folder, 'new', 'one', 'incarnation.json'), 'utf8')).toMatch(/^\d+$/);
    expect(existsSync(join(folder, 'new', 'one', basename(folder)))).toBe(false);
  });

  it('does not start where its state folder is a file', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    const { code, stderr } = await refusedStart(await proposerHere({ stateFolder: path }));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^proposer: [^\n]*file[^\n]*\n$/);
  });

  it('keeps a second one out of its state folder, also while it is stopped, and is not disturbed by it', async () => {
    const first = await proposerHere();
    await first.start();
    const incarnation = first.stored('incarnation.json');
    const second = await proposerHere();
    for (const [stop, go] of [
      [() => undefined, () => undefined],
      [() => first.pause(), () => first.resume()],
    ] as const) {
      // prettier-ignore
      stop();
      expect(await refusedStart(second)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/another process uses this state folder/) as string,
      });
      go();
    }
    expect(first.stored('incarnation.json')).toBe(incarnation);
    expect(await configurationOf(first)).toMatchObject({ era: 0 });
    await first.end('SIGKILL');
    await second.start();
  });

  it('wins its state folder alone where several start at once, and keeps it', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => proposerHere()));
    await Promise.allSettled(all.map((proposer) => proposer.start()));
    const running = all.filter(({ isRunning }) => isRunning);
    expect(running.length).toBeLessThanOrEqual(1);
    const late = await proposerHere();
    if (running.length === 1) expect(await refusedStart(late)).toMatchObject({ code: 1 });
    else await late.start();
  });
});

describe('the incarnation', () => {
  const identityOf = async ({ admin }: ProposerProcess): Promise<number> => {
    const answer = await admin.identity();
    if (!answer.ok) throw new Error(answer.message);
    return answer.body.incarnation;
  };

  it('rises at every start, and is on disk before the first request', async () => {
    const proposer = await proposerHere();
    let last = Date.now() - 1;
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
      await proposer.start();
      const incarnation = await identityOf(proposer);
      expect(incarnation).toBeGreaterThan(last);
      expect(proposer.stored('incarnation.json')).toBe(String(incarnation));
      last = incarnation;
      await proposer.end(signal);
    }
  });

  it('rises from the stored number where the clock has gone back, and never comes again', async () => {
    const proposer = await proposerHere();
    let last = Date.now() + 10 ** 12;
    proposer.store('incarnation.json', String(last));
    for (let start = 0; start < 3; start += 1) {
      await proposer.start();
      const incarnation = await identityOf(proposer);
      expect(incarnation).toBeGreaterThan(last);
      expect(proposer.stored('incarnation.json')).toBe(String(incarnation));
      last = incarnation;
      await proposer.end('SIGKILL');
    }
  });

  it('never comes again where the folder was put back and the clock is behind, too: operation ids and ballots are made of it', () => {
    const file = join(folder, 'incarnation.json');
    const stored = Date.now() + 10 ** 12;
    const drawn = Array.from({ length: 5 }, () => {
      writeFileSync(file, String(stored));
      return new StateFolder(folder).raiseIncarnation(Date.now());
    });
    // Of a million numbers each, so that two may be the same in one of 100,000 runs of this test.
    expect(new Set(drawn).size).toBe(5);
    expect(Math.min(...drawn)).toBeGreaterThan(stored);
  });

  it('is taken from the clock where the folder was lost', async () => {
    const proposer = await proposerHere();
    await proposer.start();
    const before = await identityOf(proposer);
    await proposer.end('SIGKILL');
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await proposer.start();
    expect(await identityOf(proposer)).toBeGreaterThan(before);
  });
});
