import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** The list of running process groups, kept by a small process that outlives this one and kills what is still listed then. */
export class Reaper {
  readonly #script: string;
  readonly #listed = new Set<number>();
  #process: ChildProcess;
  #closing = false;

  /** @param script the path of `reaper.sh` */
  constructor(script: string) {
    this.#script = script;
    this.#process = this.#spawn();
  }

  /** @param pid of a process that leads its own group */
  add(pid: number): void {
    this.#listed.add(pid);
    this.#process.stdin?.write(`+ ${pid}\n`);
  }

  remove(pid: number): void {
    this.#listed.delete(pid);
    this.#process.stdin?.write(`- ${pid}\n`);
  }

  /** Ends the reaper, which kills what is still listed. */
  async close(): Promise<void> {
    this.#closing = true;
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    this.#process.stdin?.end();
    await once(this.#process, 'exit');
  }

  #spawn(): ChildProcess {
    const reaper = spawn('bash', [this.#script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    // A write to a reaper that somebody killed: the next one gets the whole list.
    reaper.stdin.on('error', () => undefined);
    reaper.once('exit', () => {
      if (this.#closing) return;
      this.#process = this.#spawn();
      for (const pid of this.#listed) this.add(pid);
    });
    return reaper;
  }
}
