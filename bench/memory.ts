import { execFile } from 'node:child_process';

const EVERY_MS = 200;

/** The resident memory of processes while something runs, in MiB. */
export class MemoryWatch {
  readonly #pids: ReadonlyMap<string, number>;
  readonly #peaks = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = new Map(Object.entries(pids));
    this.#timer = setInterval(() => void this.#look(), EVERY_MS);
  }

  /** The highest of each until now. */
  async stop(): Promise<Record<string, number>> {
    clearInterval(this.#timer);
    await this.#look();
    return Object.fromEntries(this.#peaks);
  }

  async #look(): Promise<void> {
    for (const [name, pid] of this.#pids) {
      const mib = await residentMib(pid);
      this.#peaks.set(name, Math.max(this.#peaks.get(name) ?? 0, mib));
    }
  }
}

/** 0 for a process that has ended. */
export function residentMib(pid: number): Promise<number> {
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'rss=', '-p', String(pid)], (_error, stdout) => resolve(Number(stdout.trim() || 0) / 1024));
  });
}
