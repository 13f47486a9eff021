import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { joined } from '../joined-programs.js';
import { freePort } from '../redis-server.js';

/** The control node's service beside a cluster of this test, and what it prints. Ended with the test. */
export class ControlService {
  readonly stateFolder = mkdtempSync(join(tmpdir(), 'control-'));
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;
  #output = '';

  private constructor(env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [joined('service')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOST: '127.0.0.1', STATE_DIR: this.stateFolder, ...env },
    });
    this.ended = once(this.#child, 'close').then(([code]) => code as number | null);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    onTestFinished(async () => {
      this.#child.kill('SIGKILL');
      await this.ended;
      rmSync(this.stateFolder, { recursive: true });
    });
  }

  static async start(env: Readonly<Record<string, string>>): Promise<ControlService> {
    return new ControlService({ PORT: String(await freePort()), ...env });
  }

  /** The lines so far, without the program's name and the time. */
  get lines(): string[] {
    const lines = this.#output.split('\n').slice(0, -1);
    return lines.map((line) => line.replace(/^control: (\d{4}-\d\d-\d\dT\S+Z )?/, ''));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
