import { execFile } from 'node:child_process';
import { bearerCheck } from '../../../src/node/bearer-token.js';
import { readSecret } from '../../../src/redis/redis-connection.js';
import { typeCommand } from '../../commands/command-line.js';
import { nextSteps } from '../../commands/next-steps.js';
import type { Nodes } from '../../nodes/nodes.js';
import { nodesFrom } from '../../nodes/settings.js';
import { commandLine } from '../../safety/objection.js';
import { typed } from '../../safety/typed-step.js';

/** What `fault.sh` does to local processes. Not to this control node, which could not say what came of it. */
const FAULT = /^\.\/fault\.sh (kill|pause|resume|start) (acceptor-[123]|proposer-[12])$/;
/** Longer than `fault.sh start` waits for a node. */
const FAULT_MS = 30_000;
/** Of what a command prints: the end. */
const OUTPUT_LETTERS = 8_000;
const NOT_NOW =
  'that is not, or no longer, the next safe step: nothing was done. The page shows the one that is; run-control.sh takes any other';

/** What the page may show. */
export interface ButtonsOffer {
  /** Whether this control node reaches `fault.sh`, or can only show what is to be typed. */
  readonly faults: 'run' | 'type';
}

/** What a command came to. */
export interface Pressed {
  readonly exitCode: number;
  readonly output: string;
}

/** Why a command was not begun. */
export interface NotPressed {
  readonly status: 403 | 409 | 503;
  readonly message: string;
}

/** The commands that the page may carry out for whoever has the admin token: the next safe step, and, where that is possible, faults. One at a time. */
export class Buttons {
  /** Whether a request holds the token. */
  readonly isAllowed: (authorization: string | undefined) => boolean;
  readonly offer: ButtonsOffer;
  readonly #faultScript: string | undefined;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #nodes: () => Nodes;
  #isBusy = false;

  /**
   * @param environment of this control node; `FAULT_SCRIPT` is the path of `fault.sh` where it may be run, with the `CLUSTER_DIR` that it is for
   * @param nodes as `run-control.sh` has them: made for each command, and closed by it
   */
  constructor(token: string, environment: NodeJS.ProcessEnv, nodes: () => Nodes = () => nodesFrom(environment)) {
    this.isAllowed = bearerCheck(token);
    this.#faultScript = environment['FAULT_SCRIPT'] || undefined;
    this.#environment = environment;
    this.#nodes = nodes;
    this.offer = { faults: this.#faultScript === undefined ? 'type' : 'run' };
  }

  /** @param command as the page has shown it, and as it would be typed in `node-control/` */
  async press(command: string): Promise<Pressed | NotPressed> {
    if (this.#isBusy) return { status: 503, message: 'another command is under way: press again once it has ended' };
    this.#isBusy = true;
    try {
      return await (command.startsWith('./fault.sh ') ? this.#fault(command) : this.#step(command));
    } finally {
      this.#isBusy = false;
    }
  }

  /** Only what the guard lets pass at this moment, by the program that `run-control.sh` is, which asks it once more. */
  async #step(command: string): Promise<Pressed | NotPressed> {
    const nodes = this.#nodes();
    const next = await nextSteps(nodes).catch(async (error: unknown) => {
      await nodes.close();
      throw error;
    });
    const [step] = next?.steps ?? [];
    if (!step || commandLine(step) !== command) {
      await nodes.close();
      return { status: 409, message: NOT_NOW };
    }
    let output = '';
    const printed = {
      isTTY: false,
      columns: 0,
      write: (text: string | Uint8Array): boolean => {
        output = `${output}${String(text)}`.slice(-OUTPUT_LETTERS);
        return true;
      },
    };
    const exitCode = await typeCommand(typed(step).split(' '), nodes, printed, printed);
    return { exitCode, output };
  }

  #fault(command: string): Promise<Pressed | NotPressed> {
    const [, action, node] = FAULT.exec(command) ?? [];
    const script = this.#faultScript;
    if (script === undefined) return Promise.resolve({ status: 403, message: 'this control node cannot do that: type it' });
    if (action === undefined || node === undefined)
      return Promise.resolve({ status: 409, message: 'there is no such fault: nothing was done' });
    // Without what else this service knows, its secrets say.
    const { PATH, HOME, CLUSTER_DIR } = this.#environment;
    const env = { PATH, HOME, CLUSTER_DIR, CLUSTER: 'local' };
    return new Promise((resolve) => {
      execFile(script, [action, node], { env, timeout: FAULT_MS }, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ exitCode, output: `${stdout}${stderr}`.slice(-OUTPUT_LETTERS) });
      });
    });
  }
}

/** By `CONTROL_BUTTONS`: undefined unless it is `on`. Throws an `Error` that names the variable that is wrong. */
export function buttonsFrom(environment: NodeJS.ProcessEnv): Buttons | undefined {
  const wanted = environment['CONTROL_BUTTONS'] || 'off';
  if (wanted === 'off') return undefined;
  if (wanted !== 'on') throw new Error(`CONTROL_BUTTONS must be on or off, not "${wanted}"`);
  const token = readSecret(environment, 'ADMIN_TOKEN_FILE');
  if (token === undefined)
    throw new Error('CONTROL_BUTTONS=on needs ADMIN_TOKEN_FILE, the file with the token that the page then asks for');
  return new Buttons(token, environment);
}
