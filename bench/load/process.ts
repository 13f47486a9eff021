import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { layoutFrom } from '../../local/layout.js';
import type { JobAnswer, Job, Question } from './job.js';
import type { Seen } from './load.js';

const PROGRAM = path.join(layoutFrom({}).root, 'dist/bench/load/program.js');

/** The load generator as a process of its own, so that its processor time is known apart from that of the servers. The same for all that is measured. */
export class LoadProcess {
  readonly #child: ChildProcess;
  readonly #gone = new AbortController();

  private constructor(child: ChildProcess) {
    this.#child = child;
    const gone = (): void => this.#gone.abort(new Error('the load process ended'));
    child.once('exit', gone).once('error', gone);
  }

  /** @param node the binary that runs it */
  static async start(node: string, job: Job): Promise<LoadProcess> {
    const child = spawn(node, [PROGRAM], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const load = new LoadProcess(child);
    child.send(job, () => undefined);
    await load.#answer();
    return load;
  }

  /** Writes every key that does not exist yet. */
  static async fill(node: string, job: Job): Promise<void> {
    const load = await LoadProcess.start(node, { ...job, fillsOnly: true });
    load.kill();
  }

  /** What was seen since the last time. */
  async look(): Promise<{ seen: Seen; cpuMs: number }> {
    const { seen, cpuMs } = await this.#ask('look');
    if (!seen) throw new TypeError('the load process saw nothing');
    return { seen, cpuMs };
  }

  /** Ends it after the last answers. */
  async stop(): Promise<void> {
    await this.#ask('stop');
    this.kill();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #ask(question: Question): Promise<JobAnswer> {
    // What cannot be sent any more is seen as the end of the process.
    this.#child.send(question, () => undefined);
    return this.#answer();
  }

  async #answer(): Promise<JobAnswer> {
    const [answer] = (await once(this.#child, 'message', { signal: this.#gone.signal })) as [JobAnswer];
    return answer;
  }
}
