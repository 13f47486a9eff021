import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AdminClient, KeyValueClient } from '../src/http/client.js';
import { joined } from './joined-programs.js';
import { freePort } from './redis-server.js';

export const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const HOST = '127.0.0.1';
/** The machine may be busy. */
const START_TIMEOUT_MS = 60_000;

/** One that logs warnings only does not say that it has started. */
const SILENT_START_MS = 1_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProposerOptions {
  readonly id?: number;
  readonly stateFolder?: string;
  readonly addressMap?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly workingFolder?: string;
}

/** One proposer as the cluster runs it: its program, with ports and a state folder of its own. Ends it by its pid only. */
export class ProposerProcess {
  readonly id: number;
  readonly stateFolder: string;
  readonly kv: KeyValueClient;
  /** Asks the proposer neither to queue nor to retry. */
  readonly impatient: KeyValueClient;
  readonly admin: AdminClient;
  readonly port: number;
  readonly adminPort: number;
  readonly #options: ProposerOptions;
  #process: ChildProcess | undefined;
  #exit: Promise<Exit> | undefined;
  #stdout = '';
  #stderr = '';
  readonly #dieWithUs = (): void => void this.#process?.kill('SIGKILL');

  private constructor(options: ProposerOptions, port: number, adminPort: number) {
    this.#options = options;
    this.id = options.id ?? 1;
    this.port = port;
    this.adminPort = adminPort;
    this.stateFolder = options.stateFolder ?? mkdtempSync(join(tmpdir(), 'proposer-'));
    this.kv = new KeyValueClient(this.address);
    this.impatient = new KeyValueClient(this.address, { wait: false });
    this.admin = new AdminClient(this.adminAddress);
    process.on('exit', this.#dieWithUs);
  }

  /** On free ports, not started yet. */
  static async prepare(options: ProposerOptions = {}): Promise<ProposerProcess> {
    return new ProposerProcess(options, await freePort(), await freePort());
  }

  get name(): string {
    return `proposer-${this.id}`;
  }

  get address(): string {
    return `${HOST}:${this.port}`;
  }

  get adminAddress(): string {
    return `${HOST}:${this.adminPort}`;
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error(`${this.name} does not run`);
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** What it has logged since its first start, of which the message contains a text. */
  logged(text = ''): Record<string, unknown>[] {
    // Most lines say something else: they are not worth reading.
    const lines = this.#stdout
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.includes(JSON.stringify(text).slice(1, -1)));
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => String(msg).includes(text));
  }

  /** Its resident memory in MiB. */
  get memoryMib(): number {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(this.pid)], { encoding: 'utf8' })) / 1024;
  }

  /** Starts the program, and does not wait for it. @returns how it ends */
  launch(): Promise<Exit> {
    if (this.#process) throw new Error(`${this.name} runs already`);
    const { addressMap, env, workingFolder } = this.#options;
    const child = spawn(process.execPath, [joined('proposer')], {
      cwd: workingFolder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        PROPOSER_ID: String(this.id),
        STATE_DIR: this.stateFolder,
        HOST,
        PORT: String(this.port),
        ADMIN_PORT: String(this.adminPort),
        ...(addressMap === undefined ? {} : { ADDRESS_MAP: addressMap }),
        ...env,
      },
    });
    child.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#process = child;
    this.#exit = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#process = undefined;
        resolve({ code, signal });
      });
    });
    return this.#exit;
  }

  /** Starts it, and waits until it answers on both ports. Throws with what it said where it does not. */
  async start(): Promise<void> {
    const said = this.#stdout.length;
    void this.launch();
    const [begunAt, giveUpAt] = [Date.now(), Date.now() + START_TIMEOUT_MS];
    for (;;) {
      if (!this.#process) throw new Error(`${this.name} ended: ${this.#stderr}`);
      if (Date.now() > giveUpAt) throw new Error(`${this.name} does not answer: ${this.#stdout}${this.#stderr}`);
      // To knock at a port on which nobody listens yet takes time from the one who is starting.
      const isHeard = this.#stdout.includes('proposer started', said) || Date.now() > begunAt + SILENT_START_MS;
      if (!isHeard) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        continue;
      }
      const answers = await Promise.allSettled([fetch(`http://${this.address}/healthz`), this.admin.configuration()]);
      if (answers.every(({ status }) => status === 'fulfilled')) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sends a signal and waits for the end of the process. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    if (!this.#process || !this.#exit) throw new Error(`${this.name} does not run`);
    this.#process.kill(signal);
    return this.#exit;
  }

  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Ends it for good, and removes its state. */
  async stop(): Promise<void> {
    if (this.#process) await this.end('SIGKILL');
    await Promise.all([this.kv.close(), this.impatient.close(), this.admin.close()]);
    process.off('exit', this.#dieWithUs);
    if (this.#options.stateFolder === undefined) rmSync(this.stateFolder, { recursive: true, force: true });
  }

  /** A file of its state, as text. */
  stored(name: string): string {
    return readFileSync(join(this.stateFolder, name), 'utf8');
  }

  store(name: string, text: string): void {
    writeFileSync(join(this.stateFolder, name), text);
  }
}
