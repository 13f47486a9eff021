import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODES } from './layout.js';
import { NodeProcess, type NodeSpec } from './node-process.js';
import type { NodeSpecs } from './nodes.js';
import type { Reaper } from './reaper.js';
import { isSystemError, Trouble } from './trouble.js';

/** What `fault.sh` may do to a node. */
export const ACTIONS = ['kill', 'pause', 'resume', 'start'] as const;
export type Action = (typeof ACTIONS)[number];

const POLL_MS = 50;
/** How long `start NODE` waits for the node to answer. */
const ANSWER_TIMEOUT_MS = 10_000;
/** A proposer finishes what runs within 5 s of a SIGTERM. */
const GRACE_MS = 6_000;
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 2_000;

/** The nodes as one: started, watched and stopped together. */
export class Supervisor {
  readonly #acceptors: NodeProcess[];
  readonly #others: NodeProcess[];
  #state: 'starting' | 'ready' | 'stopping' = 'starting';
  #stopping: Promise<void> | undefined;
  #sayStopped: () => void = () => undefined;
  /** Resolves when all nodes were stopped on request. */
  readonly stopped = new Promise<void>((resolve) => (this.#sayStopped = resolve));

  /** @param say prints one line about a node */
  constructor({ acceptors, others }: NodeSpecs, reaper: Reaper, say: (line: string) => void) {
    const build = (spec: NodeSpec) => new NodeProcess(spec, reaper, (line) => say(`${spec.name}  ${line}`));
    this.#acceptors = acceptors.map(build);
    this.#others = others.map(build);
  }

  get #nodes(): NodeProcess[] {
    return [...this.#acceptors, ...this.#others];
  }

  get state(): 'starting' | 'ready' | 'stopping' {
    return this.#state;
  }

  /**
   * Starts all nodes and resolves when each of them answers; false if they were stopped meanwhile. Rejects with {@link Trouble}
   * that ends with the node's log where one dies, or does not answer in time; what runs by then still has to be stopped.
   */
  async start(timeoutMs: number): Promise<boolean> {
    const logged = new Map(this.#nodes.map(({ spec }) => [spec.name, beginLog(spec.logFile)]));
    const fail = (node: NodeProcess, what: string) => {
      const { name, logFile } = node.spec;
      throw new Trouble(`${name} ${what}. The end of its log, ${logFile}:\n${tail(logFile, logged.get(name) ?? 0)}`);
    };
    await Promise.all(this.#nodes.map((node) => node.start()));
    const deadline = performance.now() + timeoutMs;
    const waitFor = async (node: NodeProcess): Promise<void> => {
      while (!this.#stopping && !(await node.spec.answers())) {
        if (node.deaths > 0) fail(node, 'ended as soon as it was started');
        if (performance.now() > deadline) fail(node, `does not answer after ${timeoutMs / 1_000} s`);
        await sleep(POLL_MS);
      }
    };
    await Promise.all(this.#nodes.map(waitFor));
    if (this.#stopping) return false;
    this.#state = 'ready';
    return true;
  }

  /** Does what `fault.sh` asks for and says what became of it. Rejects with {@link Trouble}. */
  async act(action: Action, name: string): Promise<string> {
    const node = this.#nodes.find(({ spec }) => spec.name === name);
    if (!node) throw new Trouble(`unknown node "${name}": there are ${NODES.join(', ')}`);
    if (this.#state !== 'ready') throw new Trouble(`the cluster is still ${this.#state}`);
    if (action === 'start') return `${name} ${await this.#startAndWait(node)}`;
    return `${name} ${await node[action]()}`;
  }

  /** One line for each node: name, standing, process. */
  describe(): string {
    return this.#nodes.map((node) => [node.spec.name, node.standing, node.pid ?? '-'].join('\t')).join('\n');
  }

  /** The acceptors last, so that proposers can finish what runs. Resolves when nothing is left; the second call does not wait for anybody's grace. */
  stop(): Promise<void> {
    if (this.#stopping) for (const node of this.#nodes) node.terminate();
    this.#state = 'stopping';
    this.#stopping ??= (async () => {
      await Promise.all(this.#others.map((node) => node.stop(GRACE_MS)));
      await Promise.all(this.#acceptors.map((node) => node.stop(GRACE_MS)));
      this.#sayStopped();
    })();
    return this.#stopping;
  }

  async #startAndWait(node: NodeProcess): Promise<string> {
    const done = await node.start();
    const deadline = performance.now() + ANSWER_TIMEOUT_MS;
    while (!(await node.spec.answers())) {
      if (node.standing === 'held')
        throw new Trouble(`${node.spec.name} is held: the end of ${node.spec.logFile} says why, and what to do`);
      if (performance.now() > deadline || this.#stopping)
        throw new Trouble(`${node.spec.name} ${done}, but does not answer yet: see ${node.spec.logFile}`);
      await sleep(POLL_MS);
    }
    return done;
  }
}

/** Where the log of this run begins, in bytes. A long log of earlier runs is put aside. */
function beginLog(file: string): number {
  try {
    const { size } = statSync(file);
    if (size <= MAX_LOG_BYTES) return size;
    renameSync(file, `${file}.1`);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
  return 0;
}

/** The last lines from `start` on. */
function tail(file: string, start: number): string {
  const end = statSync(file).size;
  const from = Math.max(start, end - TAIL_BYTES);
  // No more of it than that: a log is put aside at a start only, and may have grown for months.
  const buffer = Buffer.alloc(end - from);
  const log = openSync(file, 'r');
  try {
    readSync(log, buffer, 0, buffer.length, from);
  } finally {
    closeSync(log);
  }
  return buffer.toString().trimEnd().split('\n').slice(-15).join('\n');
}
