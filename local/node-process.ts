import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Reaper } from './reaper.js';
import { sayWhy, Trouble } from './trouble.js';

/** What to run as a node. */
export interface NodeSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Its data, and the folder it runs in. */
  readonly folder: string;
  readonly logFile: string;
  /** Whether it does its work now. */
  answers(): Promise<boolean>;
}

/** `held`: killed on request, or ended with {@link HELD_EXIT_CODE}, until it is started on request. `waiting`: died, and about to be started again. */
export type Standing = 'stopped' | 'running' | 'paused' | 'held' | 'waiting';

/** How `acceptor/start.sh` ends where the acceptor must not be started again by itself. */
const HELD_EXIT_CODE = 3;
const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5_000;
/** A process that lived this long did not die of its start: the back-off begins anew. */
const SOUND_AFTER_MS = 10_000;

/** One node as a process that leads a group of its own; started again whenever it dies by itself. */
export class NodeProcess {
  readonly spec: NodeSpec;
  readonly #reaper: Reaper;
  readonly #say: (line: string) => void;
  #standing: Standing = 'stopped';
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #restart: NodeJS.Timeout | undefined;
  #backoffMs = FIRST_BACKOFF_MS;
  #deaths = 0;

  /** @param say hears of what becomes of the node, without its name */
  constructor(spec: NodeSpec, reaper: Reaper, say: (line: string) => void) {
    this.spec = spec;
    this.#reaper = reaper;
    this.#say = say;
  }

  get standing(): Standing {
    return this.#standing;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it died by itself. */
  get deaths(): number {
    return this.#deaths;
  }

  // The words are those of fault.sh with Docker; each method returns what was done.

  /** Starts what does not run. */
  async start(): Promise<string> {
    // What was killed a moment ago may still hold its port.
    if (this.#standing === 'held') await this.#gone;
    if (this.#standing === 'paused') throw this.#cannot('is paused. Resume it', 'resume');
    if (this.#standing === 'running') return 'runs already';
    this.#launch('started');
    return 'started';
  }

  /** SIGKILL, and no restart. Resolves when the process is gone. */
  async kill(): Promise<string> {
    if (this.#standing === 'held') return 'was dead already';
    clearTimeout(this.#restart);
    this.#standing = 'held';
    this.#signal('SIGKILL');
    await this.#gone;
    this.#say('held (killed on request)');
    return `killed: it stays dead until "fault.sh start ${this.spec.name}"`;
  }

  /** SIGSTOP: connections stay open, and nothing answers on them. */
  pause(): string {
    if (this.#standing === 'paused') return 'was paused already';
    if (this.#standing !== 'running') throw this.#cannot('is dead and cannot be paused. Start it first', 'start');
    this.#standing = 'paused';
    this.#signal('SIGSTOP');
    this.#say('paused');
    return `paused: it hangs until "fault.sh resume ${this.spec.name}"`;
  }

  resume(): string {
    if (this.#standing !== 'paused' && this.#standing !== 'running') throw this.#cannot('is dead and cannot be resumed. Start it', 'start');
    // Also where it counts as running: somebody else may have sent a SIGSTOP.
    this.#signal('SIGCONT');
    if (this.#standing === 'running') return 'was not paused';
    this.#standing = 'running';
    this.#say('resumed');
    return 'resumed';
  }

  /** Ends the process for good: SIGTERM, and SIGKILL for what is still there later. @param graceMs between the two */
  async stop(graceMs: number): Promise<void> {
    clearTimeout(this.#restart);
    this.#standing = 'stopped';
    this.#signal('SIGTERM');
    // A process that is stopped by SIGSTOP hears SIGTERM only when it goes on.
    this.#signal('SIGCONT');
    const force = setTimeout(() => this.terminate(), graceMs);
    await this.#gone;
    clearTimeout(force);
  }

  /** SIGKILL, for whoever will not wait. */
  terminate(): void {
    this.#signal('SIGKILL');
  }

  #launch(word: string): void {
    clearTimeout(this.#restart);
    this.#standing = 'running';
    const bornMs = performance.now();
    const child = this.#spawn();
    this.#child = child;
    this.#gone = new Promise((resolve) => {
      const ended = (why: string, code?: number | null) => {
        this.#ended(child.pid, why, performance.now() - bornMs, code === HELD_EXIT_CODE);
        resolve();
      };
      // What it started may still run, a Redis that rewrites its log for one.
      child.once('exit', () => this.#signal('SIGKILL'));
      child.once('close', (code, signal) => {
        if (child.pid !== undefined) ended(signal ?? `exit code ${code ?? '?'}`, code);
      });
      child.on('error', (error) => {
        if (child.pid === undefined) ended(error.message);
      });
    });
    if (child.pid === undefined) return;
    this.#reaper.add(child.pid);
    this.#say(`${word} (pid ${child.pid})`);
  }

  #spawn(): ChildProcess {
    const { command, args, env, folder, logFile } = this.spec;
    mkdirSync(folder, { recursive: true });
    mkdirSync(path.dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'a');
    try {
      // In a group of its own, so that a Ctrl-C in the terminal reaches the supervisor only. Whatever it starts has the other end of the pipe,
      // too: it closes when nothing of the node is left, and nothing holds its port and its files.
      const child = spawn(command, args, { cwd: folder, env, detached: true, stdio: ['ignore', log, log, 'pipe'] });
      const [, , , pipe] = child.stdio;
      if (pipe instanceof Readable) pipe.resume();
      return child;
    } finally {
      closeSync(log);
    }
  }

  #ended(pid: number | undefined, why: string, livedMs: number, isHeld = false): void {
    if (pid !== undefined) this.#reaper.remove(pid);
    this.#child = undefined;
    if (this.#standing === 'stopped') this.#say(why === 'SIGKILL' ? 'stopped by force' : 'stopped');
    if (this.#standing !== 'running' && this.#standing !== 'paused') return;
    this.#deaths += 1;
    if (isHeld) {
      this.#standing = 'held';
      this.#say(`held: the end of ${this.spec.logFile} says why, and what to do`);
      return;
    }
    this.#standing = 'waiting';
    this.#say(`died (${why})`);
    if (livedMs >= SOUND_AFTER_MS) this.#backoffMs = FIRST_BACKOFF_MS;
    this.#restart = setTimeout(() => this.#tryAgain(), this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
  }

  #tryAgain(): void {
    try {
      this.#launch('restarted');
    } catch (error) {
      // Its folder or its log cannot be written.
      this.#ended(undefined, sayWhy(error), 0);
    }
  }

  #cannot(why: string, remedy: string): Trouble {
    const { name } = this.spec;
    return new Trouble(`${name} ${why}: fault.sh ${remedy} ${name}`);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // Already gone.
    }
  }
}
