import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, inject } from 'vitest';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Which cluster the run is about. */
export const mode = inject('cluster').CLUSTER;

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The ports, the name and the folder of the cluster, which the files share one after the other. */
export const environment: NodeJS.ProcessEnv = { ...process.env, ...inject('cluster') };

/** A terminal of a reader: it remembers its folder. */
export class Terminal {
  #folder = root;

  /** Types a command and waits for its end. The ports are the run's own; nothing else of the line is touched. */
  async type(line: string): Promise<Finished> {
    const [, folder] = /^cd (\S+)$/.exec(line) ?? [];
    if (folder !== undefined) {
      this.#folder = `${this.#folder}${folder}/`;
      return { code: 0, stdout: '', stderr: '' };
    }
    return new Promise((resolve) => {
      const options = { cwd: this.#folder, env: environment };
      const child = execFile('bash', ['-c', withOwnPorts(line)], options, (_error, stdout, stderr) => {
        resolve({ code: child.exitCode ?? 1, stdout, stderr });
      });
    });
  }

  /** Types a command that has to succeed. @returns its output */
  async done(line: string): Promise<string> {
    const { code, stdout, stderr } = await this.type(line);
    expect(code, `${line}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  }

  /** Types a command that stays until it is ended. */
  start(line: string): Running {
    return new Running(spawn('bash', ['-c', `exec ${line}`], { cwd: this.#folder, env: environment, detached: true }));
  }
}

function withOwnPorts(line: string): string {
  return line
    .replaceAll('localhost:8081', `127.0.0.1:${environment['PROPOSER_1_PORT']}`)
    .replaceAll('localhost:8082', `127.0.0.1:${environment['PROPOSER_2_PORT']}`);
}

/** A program in the foreground of a terminal. */
export class Running {
  output = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (this.output += data.toString()));
  }

  /** The process group of the program and of all that it starts. */
  get group(): number {
    if (this.#child.pid === undefined) throw new Error('the program could not be started');
    return this.#child.pid;
  }

  /** Resolves once the output holds the text. Rejects where the program ends, or the time is up, before that. */
  async until(text: string | RegExp, limitMs: number): Promise<void> {
    const deadlineMs = Date.now() + limitMs;
    while (!(typeof text === 'string' ? this.output.includes(text) : text.test(this.output))) {
      if (this.#child.exitCode !== null) throw new Error(`ended with ${this.#child.exitCode} without "${text}":\n${this.output}`);
      if (Date.now() > deadlineMs) throw new Error(`no "${text}" within ${limitMs} ms:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** As Ctrl-C does: to the whole process group. Resolves with the exit code. */
  async interrupt(): Promise<number | null> {
    if (this.#child.exitCode === null) process.kill(-this.group, 'SIGINT');
    return this.end();
  }

  async end(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }
}

export async function clear(): Promise<void> {
  await insist('./clear.sh');
}

/** Takes the cluster that an earlier file left, whatever it holds: what a test asks for of it, it makes itself. */
export async function startUnlessItRuns(): Promise<void> {
  if ((await new Terminal().type('./node-control/run-control.sh ls')).code !== 0) await insist('./build-run.sh --detach');
}

async function insist(line: string): Promise<void> {
  const { code, stdout, stderr } = await new Terminal().type(line);
  if (code !== 0) throw new Error(`${line} failed: ${stdout}${stderr}`);
}

/** A request straight to a proposer. `status` undefined: no answer in HTTP. */
export async function request(proposer: 1 | 2, path: string, body?: unknown): Promise<{ status: number | undefined; elapsedMs: number }> {
  const begunMs = performance.now();
  const init = body === undefined ? {} : { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  try {
    const response = await fetch(`http://127.0.0.1:${environment[`PROPOSER_${proposer}_PORT`]}${path}`, init);
    await response.text();
    return { status: response.status, elapsedMs: performance.now() - begunMs };
  } catch {
    return { status: undefined, elapsedMs: performance.now() - begunMs };
  }
}
