import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../local/control-socket.js';
import { layoutFrom } from '../../local/layout.js';
import { freePort } from '../redis-server.js';
import { living } from './processes.js';

export const ROOT = path.resolve(import.meta.dirname, '../..');
const MAIN = path.join(ROOT, 'dist/local/main.js');
const PORT_VARIABLES = [
  'ACCEPTOR_1_PORT',
  'ACCEPTOR_2_PORT',
  'ACCEPTOR_3_PORT',
  'PROPOSER_1_PORT',
  'PROPOSER_2_PORT',
  'PROPOSER_1_ADMIN_PORT',
  'PROPOSER_2_ADMIN_PORT',
  'CONTROL_PORT',
  'CLIENT_PORT',
];
/** The machine may be busy. */
const WAIT_MS = 60_000;
/** For the hook that removes a cluster: also one that is asked to stop and hangs is killed. */
export const CLEANUP_MS = 60_000;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One supervisor in the foreground, in a process group of its own as a shell would put it. */
export class Foreground {
  readonly #process: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(env: NodeJS.ProcessEnv, args: readonly string[] = []) {
    this.#process = spawn(process.execPath, [MAIN, 'start', ...args], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#process.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error('the supervisor was not started');
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** To the whole group, as a terminal does it. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) process.kill(-this.pid, signal);
  }

  async says(text: string): Promise<void> {
    await eventually(`"${text}" in the output`, () => this.stdout.includes(text) || this.#process.exitCode !== null);
    if (!this.stdout.includes(text)) throw new Error(`the supervisor ended before it said "${text}":\n${this.stdout}${this.stderr}`);
  }

  /** Resolves with the exit code once it has ended. */
  async ended(): Promise<number | null> {
    if (this.isRunning) await once(this.#process, 'exit');
    return this.#process.exitCode;
  }
}

/** A data folder and free ports, and whatever is started on them. */
export class LocalCluster {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #parent = mkdtempSync(path.join(tmpdir(), 'local-'));
  readonly #started: Foreground[] = [];
  readonly #seen = new Set<number>();

  private constructor(name: string, ports: readonly number[]) {
    this.folder = path.join(this.#parent, name);
    const chosen = PORT_VARIABLES.map((variable, at) => [variable, String(ports[at])]);
    // Whoever runs the tests may have a cluster in Docker: the scripts would ask which one is meant.
    const ofIt = { CLUSTER: 'local', CLUSTER_DIR: this.folder, LOG_LEVEL: 'info' };
    this.env = { ...process.env, ...ofIt, ...(Object.fromEntries(chosen) as NodeJS.ProcessEnv) };
  }

  /** @param name of the data folder, which the first start makes */
  static async prepare(name = 'cluster'): Promise<LocalCluster> {
    if (!existsSync(MAIN)) throw new Error('npm run build comes before these tests');
    const ports = new Set<number>();
    while (ports.size < PORT_VARIABLES.length) ports.add(await freePort());
    return new LocalCluster(name, [...ports]);
  }

  port(variable: string): number {
    return Number(this.env[variable]);
  }

  /** Starts a supervisor and does not wait. */
  launch(args: readonly string[] = []): Foreground {
    const foreground = new Foreground(this.env, args);
    this.#started.push(foreground);
    return foreground;
  }

  async start(): Promise<Foreground> {
    const foreground = this.launch();
    await foreground.says('ready');
    await this.nodes();
    return foreground;
  }

  /** The supervisor that an earlier test left as it was started, or another one: cheaper than one for each test. */
  async running(): Promise<Foreground> {
    const present = this.#started.find(({ isRunning }) => isRunning);
    const nodes = await this.nodes().catch(() => undefined);
    if (present && nodes && [...nodes.values()].every(({ standing }) => standing === 'running')) return present;
    await this.end();
    return this.start();
  }

  /** Asks the supervisor, as the commands do. */
  async ask(action: string, node?: string): Promise<string> {
    const reply = await ask(layoutFrom(this.env).socket, { action, ...(node === undefined ? {} : { node }) }, WAIT_MS);
    if (!reply?.ok) throw new Error(`${action} ${node ?? ''}: ${reply?.message ?? 'nobody answers'}`);
    return reply.message;
  }

  /** Runs one command to its end. */
  async run(...args: string[]): Promise<Finished> {
    const child = spawn(process.execPath, [MAIN, ...args], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  /** Each node's standing and process, as the supervisor has them. */
  async nodes(): Promise<Map<string, { standing: string; pid: number }>> {
    const rows = (await this.ask('nodes')).split('\n').map((line) => line.split('\t'));
    const nodes = new Map(rows.map(([name = '', standing = '', pid = '']) => [name, { standing, pid: Number(pid) }]));
    for (const { pid } of nodes.values()) if (pid > 0) this.#seen.add(pid);
    return nodes;
  }

  async node(name: string): Promise<{ standing: string; pid: number }> {
    const node = (await this.nodes()).get(name);
    if (!node) throw new Error(`no ${name}`);
    return node;
  }

  /** The processes of all nodes that {@link nodes} ever told of and that still live. */
  survivors(): number[] {
    return living([...this.#seen]);
  }

  /** What acceptor-1 answers to a command in Redis' inline form, of the user `control`. */
  async redis(command: string): Promise<string> {
    const socket = connect(this.port('ACCEPTOR_1_PORT'), '127.0.0.1');
    const password = readFileSync(path.join(this.folder, 'secrets/control-password'), 'utf8');
    socket.end(`AUTH control ${password}\r\n${command}\r\n`);
    let reply = '';
    for await (const chunk of socket) reply += String(chunk);
    return reply.replace('+OK\r\n', '');
  }

  /** @param patienceMs for a node that is to answer, the machine may be busy */
  async healthz(variable: string, patienceMs = 10_000): Promise<number> {
    return (await fetch(`http://127.0.0.1:${this.port(variable)}/healthz`, { signal: AbortSignal.timeout(patienceMs) })).status;
  }

  /** Ends what a test left, by its pid. */
  async end(): Promise<void> {
    await this.ask('stop').catch(() => undefined);
    for (const foreground of this.#started) foreground.signal('SIGKILL');
    await Promise.all(this.#started.map((foreground) => foreground.ended()));
    for (const pid of this.survivors()) process.kill(pid, 'SIGKILL');
  }

  async remove(): Promise<void> {
    await this.end();
    rmSync(this.#parent, { recursive: true, force: true });
  }
}

/** Resolves once `check` holds; rejects, naming `what`, after a generous while. */
export async function eventually(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not in ${WAIT_MS / 1_000} s: ${what}`);
    await sleep(50);
  }
}
