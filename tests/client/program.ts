import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joined } from '../joined-programs.js';

/** The client's program, and a folder for its address maps. */
export class Program {
  readonly main = joined('client');
  readonly folder = mkdtempSync(join(tmpdir(), 'client-'));
  readonly #children: ChildProcess[] = [];

  /** @param addressMap its text in the file that ADDRESS_MAP names */
  start(args: readonly string[], addressMap: string): Running {
    const path = join(this.folder, `addresses-${this.#children.length}.json`);
    writeFileSync(path, addressMap);
    const child = spawn(process.execPath, [this.main, ...args], { env: { PATH: process.env['PATH'], ADDRESS_MAP: path } });
    this.#children.push(child);
    return new Running(child);
  }

  /** Ends what still runs, and removes the folder. */
  async close(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Running {
  readonly child: ChildProcess;
  /** When each line of the output came, in milliseconds, and the line. */
  readonly lines: { readonly atMs: number; readonly text: string }[] = [];
  stdout = '';
  stderr = '';
  /** The exit code, or the signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
      const complete = this.stdout.split('\n').slice(0, -1);
      for (const text of complete.slice(this.lines.length)) this.lines.push({ atMs: performance.now(), text });
    });
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  }

  /** Waits until the output has a line that matches. */
  async printed(pattern: RegExp): Promise<void> {
    while (!this.lines.some(({ text }) => pattern.test(text))) {
      if (this.child.exitCode !== null) throw new Error(`it ended without ${pattern.source}:\n${this.stdout}${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** The funnel's lines, as numbers: the second, and four for each client. */
  get funnel(): { readonly second: number; readonly columns: readonly (readonly number[])[] }[] {
    return this.lines
      .filter(({ text }) => !text.startsWith('#'))
      .map(({ text }) => {
        const [second, ...columns] = text.split('\t');
        return { second: Number(second), columns: columns.map((column) => (column.match(/\d+/g) ?? []).map(Number)) };
      });
  }
}
