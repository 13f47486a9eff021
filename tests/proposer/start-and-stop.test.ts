import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { IDLE_AT_SHUTDOWN_MS, SHUTDOWN_MS } from '../../proposer/limits.js';
import { Cluster, majorities, UNHURRIED } from '../cluster.js';
import { ProposerProcess } from '../proposer-process.js';
import { send } from '../raw-http.js';

/** What a proposer logged is here by then. */
const LOG_MS = 200;

async function lonelyProposer(env: Record<string, string> = {}): Promise<ProposerProcess> {
  const proposer = await ProposerProcess.prepare({ env });
  onTestFinished(() => proposer.stop());
  return proposer;
}

async function occupy(port: number): Promise<void> {
  const server = await new Promise<Server>((resolve) => {
    const listening = createServer().listen(port, '127.0.0.1', () => resolve(listening));
  });
  onTestFinished(() => void server.close());
}

describe('a proposer that cannot start', () => {
  it('because a port is taken says which port and which variable changes it, and exits 1', async () => {
    for (const [variable, portOf] of [
      ['PORT', (p: ProposerProcess) => p.port],
      ['ADMIN_PORT', (p: ProposerProcess) => p.adminPort],
    ] as const) {
      // prettier-ignore
      const proposer = await lonelyProposer();
      const port = portOf(proposer);
      await occupy(port);
      expect((await proposer.launch()).code).toBe(1);
      expect(proposer.stderr).toMatch(
        new RegExp(`^proposer: cannot listen on port ${port}: [^\\n]*EADDRINUSE[^\\n]* ${variable} takes another one\\.\\n$`),
      );
    }
  });

  it.each([
    ['PROPOSER_ID', ''],
    ['PROPOSER_ID', '0'],
    ['PROPOSER_ID', '-1'],
    ['PROPOSER_ID', 'one'],
    ['PROPOSER_ID', '9007199254740993'],
    ['PORT', '70000'],
    ['ADMIN_PORT', '80a'],
    ['LOG_LEVEL', 'loud'],
    ['LOG_FORMAT', 'xml'],
    ['STATE_DIR', ''],
    ['ADDRESS_MAP', '/nowhere/addresses.json'],
  ])('because %s is %j says so in one line, and exits 1', async (variable, value) => {
    const proposer = await lonelyProposer({ [variable]: value });
    expect((await proposer.launch()).code).toBe(1);
    expect(proposer.stderr).toMatch(new RegExp(`^proposer: [^\\n]*(${variable}|${value || variable})[^\\n]*\\n$`));
  });
});

describe('ADMIN_HOST', () => {
  // Elsewhere 127.0.0.1 is the only address that every machine has.
  it.runIf(process.platform === 'linux')('is the one address that the admin port listens on, and HOST that of the public one', async () => {
    const proposer = await lonelyProposer({ HOST: '127.0.0.1', ADMIN_HOST: '127.0.0.2' });
    void proposer.launch();
    const listens = async (host: string, port: number): Promise<boolean> => {
      const socket = connect({ host, port });
      const isOpen = await new Promise<boolean>((resolve) => socket.on('connect', () => resolve(true)).on('error', () => resolve(false)));
      socket.destroy();
      return isOpen;
    };
    await expect.poll(() => listens('127.0.0.2', proposer.adminPort), { timeout: 10_000 }).toBe(true);
    expect(await listens('127.0.0.1', proposer.adminPort)).toBe(false);
    expect([await listens('127.0.0.1', proposer.port), await listens('127.0.0.2', proposer.port)]).toEqual([true, false]);
  });
});

describe('LOG_FORMAT', () => {
  it.each([
    ['json', /"msg":"proposer started"/],
    ['pretty', /INFO.*: proposer started\n/],
  ])('%s: what is logged, without colours where nobody sees them', async (format, expected) => {
    const proposer = await lonelyProposer({ LOG_FORMAT: format });
    await proposer.start();
    await expect.poll(() => proposer.stdout).toMatch(expected);
    expect(proposer.stdout).not.toContain('\u001b');
  });
});

describe('SIGTERM', () => {
  it('lets a running request finish, takes no new connection, and exits 0 within 5 s', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 1, proposers: 1 });
    const proposer = cluster.proposer(1);
    await proposer.kv.put('a', 0, 1);
    cluster.acceptor(1).pause();
    const running = proposer.kv.put('a', 1, 2);
    await sleep(100);
    const startedAt = performance.now();
    const ended = proposer.end('SIGTERM');
    await sleep(100);
    const { address } = proposer;
    await expect(send(address, { path: '/healthz' })).rejects.toThrow('ECONNREFUSED');
    cluster.acceptor(1).resume();
    expect(await running).toMatchObject({ ok: true, body: { ver: 2 } });
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(SHUTDOWN_MS + 15_000);
    expect(proposer.logged('stopped').filter(({ msg }) => msg === 'stopped')).toHaveLength(1);
  });

  it('loses no request of clients that are busy on connections that they keep', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 1, proposers: 1, env: UNHURRIED });
    const proposer = cluster.proposer(1);
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const put = async (key: string, ver: number): Promise<IncomingMessage> => {
      const options = { agent, port: proposer.port, path: `/kv/${key}`, method: 'PUT', headers: { 'content-type': 'application/json' } };
      const message = request({ host: '127.0.0.1', ...options }).end(JSON.stringify({ ver, val: ver }));
      const [response] = (await once(message, 'response')) as [IncomingMessage];
      await once(response.resume(), 'end');
      expect(response.statusCode).toBeOneOf([200, 201]);
      return response;
    };
    /** Writes until it is refused a connection: then certainly nothing was sent. Returns how much was acknowledged, and the last answer. */
    const client = async (key: string): Promise<{ acknowledged: number; end: unknown; last: IncomingMessage | undefined }> => {
      let last: IncomingMessage | undefined;
      for (let acknowledged = 0; ; acknowledged += 1) {
        try {
          last = await put(key, acknowledged);
        } catch (error) {
          return { acknowledged, end: (error as NodeJS.ErrnoException).code, last };
        }
      }
    };
    // On a machine that stalls hardly any round is one.
    for (let round = 0, busyRounds = 0; busyRounds < (round < 12 ? 3 : 1); round += 1) {
      expect(round).toBeLessThan(30);
      const keys = Array.from({ length: 16 }, (_, index) => `busy-${round}-${index}`);
      const clients = keys.map(client);
      await sleep(500);
      const pauses = monitorEventLoopDelay({ resolution: 5 });
      pauses.enable();
      expect(await proposer.end('SIGTERM')).toEqual({ code: 0, signal: null });
      const ends = await Promise.all(clients);
      pauses.disable();
      // Clients of a process that stood still are not busy: a proposer waits only so long for their next requests.
      if (pauses.max < (IDLE_AT_SHUTDOWN_MS / 2) * 1e6) {
        expect(ends.map(({ end }) => end)).toEqual(keys.map(() => 'ECONNREFUSED'));
        expect(ends.map(({ last }) => last?.headers.connection)).toEqual(keys.map(() => 'close'));
        busyRounds += 1;
      }
      await proposer.start();
      for (const [index, key] of keys.entries())
        expect(await proposer.kv.get(key)).toMatchObject({ body: { ver: ends[index]?.acknowledged } });
    }
  });

  it('ends it although a client keeps its connection open, and although one never finishes its request', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 1, proposers: 1 });
    const proposer = cluster.proposer(1);
    await proposer.kv.get('a'); // over a connection that is kept
    const startedAt = performance.now();
    expect(await proposer.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedAt).toBeLessThan(SHUTDOWN_MS);

    await proposer.start();
    const hanging = fetch(`http://${proposer.address}/kv/a`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('{"ver":')) }),
      duplex: 'half',
    }).catch((error: unknown) => error);
    await sleep(200);
    const hungAt = performance.now();
    expect(await proposer.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - hungAt).toBeLessThan(SHUTDOWN_MS + 15_000);
    expect(await hanging).toBeInstanceOf(Error);
  });
});

describe('the log', () => {
  it('has what a proposer said last before it was killed', async () => {
    // The one thread that writes for others is busy, and the death comes before anything else can happen.
    const program = `import { pbkdf2 } from 'node:crypto';
      process.on('SIGTERM', () => {
        pbkdf2('', '', 1e8, 64, 'sha512', () => {});
        process.nextTick(() => process.kill(process.pid, 'SIGKILL'));
      });`;
    const preload = `--import data:text/javascript,${encodeURIComponent(program)}`;
    const proposer = await lonelyProposer({ NODE_OPTIONS: preload, UV_THREADPOOL_SIZE: '1' });
    await proposer.start();
    expect(await proposer.end('SIGTERM')).toEqual({ code: null, signal: 'SIGKILL' });
    expect(proposer.logged('stopping')).toHaveLength(1);
  });

  it('has one line for each configuration change and each acceptor that went or came back, and none for a request', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 3, proposers: 1, configured: 0 });
    const proposer = cluster.proposer(1);
    for (let era = 1; era <= 3; era += 1) await proposer.admin.configure(era - 1, { era, ...majorities(3) });
    await expect.poll(() => proposer.logged('configuration changed').map(({ era }) => era)).toEqual([1, 2, 3]);
    expect(proposer.logged('acceptor connected')).toHaveLength(3);
    await proposer.admin.configure(1, { era: 9, ...majorities(1) });
    await sleep(LOG_MS);
    expect(proposer.logged('configuration changed')).toHaveLength(3);

    const before = proposer.logged().length;
    for (let ver = 0; ver < 50; ver += 1) await proposer.kv.put('a', ver, ver);
    await Promise.all([
      proposer.kv.get('a'),
      proposer.kv.get('b'),
      proposer.kv.put('a', 0, 0),
      fetch(`http://${proposer.address}/nowhere`),
    ]);
    await sleep(LOG_MS);
    expect(proposer.logged()).toHaveLength(before);

    await cluster.acceptor(2).kill9();
    for (let ver = 0; ver < 50; ver += 1) await proposer.kv.put('c', ver, ver);
    await sleep(1_000);
    await cluster.acceptor(2).start();
    await expect.poll(() => proposer.logged('came back'), { timeout: 5_000 }).toHaveLength(1);
    const news = proposer.logged().slice(before);
    expect(news.map(({ acceptor, msg }) => [acceptor, msg])).toEqual([
      ['acceptor-2:6379', 'acceptor went away'],
      ['acceptor-2:6379', 'acceptor came back'],
    ]);
    expect(proposer.stderr).toBe('');
  });
});
