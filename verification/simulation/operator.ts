import { Nodes } from '../../node-control/nodes/nodes.js';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { ControlError } from '../../node-control/safety/objection.js';
import { type Step, typed } from '../../node-control/safety/typed-step.js';
import type { Connections } from '../../node-control/nodes/connections.js';
import type { RescanNotes, Unfinished } from '../../node-control/state/rescan-notes.js';
import { sleep } from '../../src/protocol/time.js';
import { acceptorAdminAcross, adminAcross } from './admin-ports.js';
import { Process } from './process.js';
import type { WorldParts } from './world-parts.js';

/** Between two attempts at the same command. */
const PAUSE_MS = 20;
/** How often a command may fail once nothing is lost any more: what is still on its way may be in its way. */
const CALM_ATTEMPTS = 100;
/** The longest that a control program lives that is going to be killed: most commands take about as long. */
const LIFE_MS = 60;
/** How often the advice that comes with one refusal is followed by that of another. */
const ADVICE_DEPTH = 3;

export interface OperatorOptions extends WorldParts {
  /** How many attempts at a command are killed in the middle, from 0 to 1; and beside how many a second operator types something. */
  readonly deaths: number;
  readonly doubles: number;
  /** See `Settings`. */
  readonly byRounds: number;
  /** After how many steps of a `resize` it is interrupted, from 0 to 1. */
  readonly interruptions: number;
  /** How often a command may fail, if nothing else is said. */
  readonly mostAttempts: number;
  /** Called when a collection begins. */
  readonly onCollection: () => void;
  /** What the second operator types, if not the same. */
  readonly other?: () => Step;
}

export interface Typing {
  /** How often it may fail. */
  readonly attempts?: number;
  /** Happens between two attempts. */
  readonly between?: () => Promise<void>;
}

/** Why a command was not done, and the steps to take first. */
type Refusal = Pick<ControlError, 'message' | 'steps'>;

/** Types the commands of a migration, each until it succeeds, into the real programs of the control node. */
export class Operator {
  readonly #options: OperatorOptions;
  #isCalm = false;
  #identities = 0;
  readonly #notes = new Map<string, Unfinished>();
  readonly #others = new Set<Promise<unknown>>();
  attempts = 0;
  done = 0;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** From now on no attempt is killed, and there is no second operator. */
  heal(): void {
    this.#isCalm = true;
  }

  /** Settles when no second operator types anything any more. */
  async alone(): Promise<void> {
    await Promise.all(this.#others);
  }

  /** Returns when the command has succeeded; false if it does not, for longer than any fault lasts, or although all is mended. */
  async type(command: Step, { attempts = this.#options.mostAttempts, between }: Typing = {}): Promise<boolean> {
    const { random, time } = this.#options;
    let left = attempts;
    for (let wasCalm = false; left > 0; left -= 1) {
      if (this.#isCalm && !wasCalm) [wasCalm, left] = [true, CALM_ATTEMPTS];
      const refusal = await this.#typeOnce(command);
      if (refusal === undefined) {
        this.done += 1;
        return true;
      }
      await this.#follow(refusal, ADVICE_DEPTH);
      await sleep(time, random() * PAUSE_MS);
      await between?.();
    }
    return false;
  }

  /** Types what an error says is to be done first. */
  async #follow({ steps }: Refusal, depth: number): Promise<void> {
    if (depth === 0) return;
    for (const command of steps) {
      const again = await this.#typeOnce(command);
      if (again !== undefined) await this.#follow(again, depth - 1);
    }
  }

  /** Undefined if it succeeded, else why not. */
  async #typeOnce(command: Step): Promise<Refusal | undefined> {
    const { random, trace, deaths, doubles, other } = this.#options;
    this.attempts += 1;
    if (!this.#isCalm && random() < doubles) {
      const attempt = this.#attempt(other?.() ?? command, 'operator-2', undefined).finally(() => this.#others.delete(attempt));
      this.#others.add(attempt);
    }
    const lifeMs = !this.#isCalm && random() < deaths ? random() * LIFE_MS : undefined;
    const refusal = await this.#attempt(command, 'operator-1', lifeMs);
    trace.event(() => `operator-1: ${typed(command)}: ${refusal?.message ?? 'done'}`);
    return refusal;
  }

  #attempt(command: Step, name: string, lifeMs: number | undefined): Promise<Refusal | undefined> {
    const { time, trace, random, interruptions, byRounds } = this.#options;
    const control = new Process(time);
    if (command.verb === 'collect') this.#options.onCollection();
    return new Promise((resolve, reject) => {
      const kill = (): void => {
        control.kill();
        resolve({ message: 'killed', steps: [] });
      };
      const print = (line: string): void => {
        trace.event(() => `${name}: ${line}`);
        if (!this.#isCalm && line.startsWith('[') && random() < interruptions) kill();
      };
      if (lifeMs !== undefined) time.after(lifeMs, kill);
      const manner = { byRounds: random() < byRounds };
      carryOut(command, this.#nodesFor(control, name), { print, progress: { show: () => undefined } }, manner).then(
        () => resolve(undefined),
        (error: unknown) => {
          if (error instanceof ControlError) resolve(error);
          else reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  /** What an operator's control node has on disk. */
  #notesOf(name: string): RescanNotes {
    return {
      load: () => this.#notes.get(name),
      save: (unfinished) => this.#notes.set(name, unfinished).has(name),
      clear: () => void this.#notes.delete(name),
    };
  }

  #nodesFor(caller: Process, name: string): Nodes {
    const { network, proposers, acceptors } = this.#options;
    const connections: Connections = {
      proposer: (to) => adminAcross(network, caller, name, named(proposers, to)),
      acceptor: (to) => acceptorAdminAcross(network, caller, name, named(acceptors, to)),
    };
    const names = (nodes: readonly { name: string }[]): string[] => nodes.map((node) => node.name);
    const newIdentity = (acceptor: string): string => `${acceptor}#${(this.#identities += 1)}`;
    return new Nodes(names(proposers), names(acceptors), connections, newIdentity, { time: caller.time, notes: this.#notesOf(name) });
  }
}

/** Throws for a name that no node has. */
export function named<Node extends { readonly name: string }>(nodes: readonly Node[], name: string): Node {
  const node = nodes.find((candidate) => candidate.name === name);
  if (!node) throw new TypeError(`no node ${name}`);
  return node;
}
