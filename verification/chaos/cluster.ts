import { randomInt } from 'node:crypto';
import path from 'node:path';
import { layoutFrom, portsFrom } from '../../local/layout.js';
import { isFree } from '../../local/probe.js';
import type { Fault } from './fault.js';
import type { FaultKinds } from './fault-schedule.js';
import { type Finished, runProgram } from './script.js';

export type Mode = 'docker' | 'local';

/** A cluster of the chaos program's own, and what can be done to it. */
export interface ChaosCluster {
  /** A folder on the disk that the acceptors write to, as far as one can know. */
  readonly folder: string;
  readonly kinds: FaultKinds;
  /** What cannot be broken here, and why, a line each. */
  readonly omissions: readonly string[];
  /** Where the proposer's port for clients is, `host:port`. */
  addressOf(proposer: string): string;
  /** Removes what an earlier run left, builds and starts; {@link kinds} and {@link omissions} are known then. Throws {@link ClusterTrouble}. */
  start(): Promise<void>;
  /** Resolves when it is done. Throws {@link ClusterTrouble}. */
  inflict(fault: Fault): Promise<void>;
  /** Resolves when the node answers again. Throws {@link ClusterTrouble}. */
  mend(fault: Fault): Promise<void>;
  /** A command of the control node, as an operator types it in `node-control/`. */
  control(command: readonly string[]): Promise<Finished>;
  /** Leaves nothing, whatever is still broken. Throws {@link ClusterTrouble}. */
  remove(): Promise<void>;
}

/** The cluster could not be started, broken, mended or removed; the message holds what the script said. */
export class ClusterTrouble extends Error {}

/** An image may have to be built. */
const START_TIMEOUT_MS = 600_000;
const FAULT_TIMEOUT_MS = 30_000;
/** A command that waits for a node that hangs says so within 5 s; a rescan may take longer. An operator would not wait longer than this. */
const COMMAND_TIMEOUT_MS = 20_000;
const REMOVE_TIMEOUT_MS = 120_000;
const ANSWER_TIMEOUT_MS = 15_000;
const POLL_MS = 50;
const PORT_VARIABLES = portsFrom({}).map(({ variable }) => variable);

/** The scripts of the project, run for a cluster with a name, a folder and ports of its own. */
export class Scripts {
  readonly layout: ReturnType<typeof layoutFrom>;
  readonly environment: NodeJS.ProcessEnv;

  private constructor(environment: NodeJS.ProcessEnv) {
    this.environment = environment;
    this.layout = layoutFrom(environment);
  }

  static async prepare(mode: Mode): Promise<Scripts> {
    const first = await freePorts();
    const { root } = layoutFrom({});
    const user = process.getuid?.() ?? 0;
    return new Scripts({
      ...process.env,
      ...Object.fromEntries(PORT_VARIABLES.map((variable, at) => [variable, String(first + at)])),
      CLUSTER: mode,
      // Names of its own for each mode: a run in the other one may be under way.
      COMPOSE_PROJECT_NAME: `caspaxos-chaos-${mode}-${user}`,
      CLUSTER_DIR: path.join(root, `.cluster-chaos-${mode}`),
    });
  }

  port(variable: string): number {
    return Number(this.environment[variable]);
  }

  async start(): Promise<void> {
    await this.#insist('./build-run.sh', ['--detach'], START_TIMEOUT_MS);
  }

  /** The data stays. */
  async stop(): Promise<void> {
    await this.#insist('./build-run.sh', ['--stop'], REMOVE_TIMEOUT_MS);
  }

  async fault(action: 'kill' | 'pause' | 'resume' | 'start', node: string): Promise<void> {
    await this.#insist('node-control/fault.sh', [action, node], FAULT_TIMEOUT_MS);
  }

  control([command = '', ...args]: readonly string[]): Promise<Finished> {
    const cwd = path.join(this.layout.root, 'node-control');
    return runProgram(command, args, { cwd, env: this.environment, timeoutMs: COMMAND_TIMEOUT_MS });
  }

  async clear(): Promise<void> {
    await this.#insist('./clear.sh', [], REMOVE_TIMEOUT_MS);
  }

  async #insist(script: string, args: readonly string[], timeoutMs: number): Promise<void> {
    await insist(path.join(this.layout.root, script), args, this, timeoutMs);
  }
}

/** Runs a program that has no business to fail, and returns its output. Throws {@link ClusterTrouble}. */
export async function insist(
  command: string,
  args: readonly string[],
  { layout, environment }: Pick<Scripts, 'layout' | 'environment'>,
  timeoutMs = FAULT_TIMEOUT_MS,
): Promise<string> {
  const { code, output } = await runProgram(command, args, { cwd: layout.root, env: environment, timeoutMs });
  if (code !== 0) throw new ClusterTrouble(`${path.basename(command)} ${args.join(' ')} failed (${code ?? 'ended'}):\n${output}`);
  return output;
}

/** Throws {@link ClusterTrouble} where the node does not answer in time. */
export async function untilItAnswers(node: string, answers: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + ANSWER_TIMEOUT_MS;
  while (!(await answers())) {
    if (Date.now() > deadlineMs) throw new ClusterTrouble(`${node} does not answer ${ANSWER_TIMEOUT_MS / 1_000} s after it was mended`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * As many in a row as there are nodes' ports, below those that the system gives to connections, and none that the bench or a test takes: a node is
 * to find its own again.
 */
async function freePorts(): Promise<number> {
  for (;;) {
    const first = randomInt(10_000, 12_000);
    const free = await Promise.all(PORT_VARIABLES.map((_, at) => isFree(first + at)));
    if (free.every(Boolean)) return first;
  }
}
