import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const REPOSITORY = join(import.meta.dirname, '../..');

/** The client's program, compiled from the sources as they are, so that no stale build is tested. */
export class Program {
  readonly #folder = mkdtempSync(join(tmpdir(), 'client-'));
  readonly #children: ChildProcess[] = [];

  constructor() {
    writeFileSync(join(this.#folder, 'package.json'), '{"type":"module"}');
    symlinkSync(join(REPOSITORY, 'node_modules'), join(this.#folder, 'node_modules'));
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
    for (const room of ['src', 'client']) {
      const names = readdirSync(join(REPOSITORY, room), { recursive: true, encoding: 'utf8' });
      for (const name of names.filter((entry) => entry.endsWith('.ts'))) {
        const { outputText } = ts.transpileModule(readFileSync(join(REPOSITORY, room, name), 'utf8'), { compilerOptions });
        mkdirSync(dirname(join(this.#folder, room, name)), { recursive: true });
        writeFileSync(join(this.#folder, room, name.replace('.ts', '.js')), outputText);
      }
    }
  }

  get main(): string {
    return join(this.#folder, 'client/main.js');
  }

  /** @param addressMap its text in the file that ADDRESS_MAP names */
  start(args: readonly string[], addressMap: string): Running {
    const path = join(this.#folder, `addresses-${this.#children.length}.json`);
    writeFileSync(path, addressMap);
    const child = spawn(process.execPath, [this.main, ...args], { env: { PATH: process.env['PATH'], ADDRESS_MAP: path } });
    this.#children.push(child);
    return new Running(child);
  }

  /** Ends what still runs, and removes the compiled program. */
  async close(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
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
