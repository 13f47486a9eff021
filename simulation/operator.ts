import type { Random } from '../client/random.js';
import { Cluster, ControlError } from '../node-control/cluster.js';
import { membership, type MembershipCommand } from '../node-control/commands/membership.js';
import { rescan } from '../node-control/commands/rescan.js';
import { wipeAcceptor } from '../node-control/commands/wipe-acceptor.js';
import type { Connections } from '../node-control/connections.js';
import { sleep } from '../src/time.js';
import type { AcceptorNode } from './acceptor-node.js';
import { acceptorAdminAcross, adminAcross } from './admin-ports.js';
import type { Network } from './network.js';
import { Process } from './process.js';
import type { ProposerNode } from './proposer-node.js';
import type { Trace } from './trace.js';
import type { VirtualTime } from './virtual-time.js';

/** Between two attempts at the same command. */
const PAUSE_MS = 20;
/** How often a command may fail where nothing is lost any more: what is still on its way may be in its way. */
const CALM_ATTEMPTS = 100;
/** How often it may fail otherwise. */
const ATTEMPTS = 2_000;
/** The longest that a control program lives that is going to be killed: most commands take about as long. */
const LIFE_MS = 60;

export interface OperatorOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: Network;
  readonly proposers: readonly ProposerNode[];
  readonly acceptors: readonly AcceptorNode[];
  readonly trace: Trace;
  /**
   * How many attempts at a command are killed in the middle, from 0 to 1; and beside how many a second operator types the same. Not beside a
   * wipe: that one looks whether a proposer lists the acceptor, and wipes; nothing holds off an operator who adds it in between.
   */
  readonly deaths: number;
  readonly doubles: number;
}

/** Types the commands of a migration, each until it succeeds, into the real programs of the control node. */
export class Operator {
  readonly #options: OperatorOptions;
  #isCalm = false;
  #lastStep: string | undefined;
  #identities = 0;
  attempts = 0;
  done = 0;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** From now on no attempt is killed, and there is no second operator. */
  heal(): void {
    this.#isCalm = true;
  }

  /** Returns when the command has succeeded; false where it does not, for longer than any fault lasts, or although all is mended. */
  async type(command: string): Promise<boolean> {
    const { random, trace, deaths, doubles, time } = this.#options;
    const wasCalm = this.#isCalm;
    let calmAttempts = 0;
    for (let attempts = 0; calmAttempts < CALM_ATTEMPTS && attempts < ATTEMPTS; attempts += wasCalm ? 0 : 1, calmAttempts += this.#isCalm ? 1 : 0) {
      this.attempts += 1;
      if (!this.#isCalm && random() < doubles && !command.startsWith('wipe')) void this.#attempt(command, 'operator-2', undefined);
      const lifeMs = !this.#isCalm && random() < deaths ? random() * LIFE_MS : undefined;
      const result = await this.#attempt(command, 'operator-1', lifeMs);
      trace.event(() => `operator-1: ${command}: ${result ?? 'done'}`);
      if (result === undefined) {
        this.done += 1;
        if (!command.startsWith('rescan')) this.#lastStep = command;
        return true;
      }
      // The second operator left half of a step behind: done again as the message says.
      if (result.startsWith('the proposers differ') && this.#lastStep) await this.#attempt(this.#lastStep, 'operator-1', undefined);
      await sleep(time, random() * PAUSE_MS);
    }
    return false;
  }

  /** Undefined where it succeeded, else why not. */
  #attempt(command: string, name: string, lifeMs: number | undefined): Promise<string | undefined> {
    const { time } = this.#options;
    const control = new Process(time);
    return new Promise((resolve, reject) => {
      if (lifeMs !== undefined) {
        time.after(lifeMs, () => {
          control.kill();
          resolve('killed');
        });
      }
      this.#run(command, this.#clusterFor(control, name)).then(
        () => resolve(undefined),
        (error: unknown) => {
          if (error instanceof ControlError) resolve(error.message);
          else reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #run(text: string, cluster: Cluster): Promise<unknown> {
    const [command = '', first = '', second = '', third = ''] = text.split(' ');
    if (command === 'rescan') return rescan(cluster, first.split(','), Number(second), { show: () => undefined });
    if (command === 'wipe-acceptor') return wipeAcceptor(cluster, first);
    return membership(cluster, command as MembershipCommand, first, second, Number(third));
  }

  #clusterFor(caller: Process, name: string): Cluster {
    const { network, proposers, acceptors } = this.#options;
    const connections: Connections = {
      proposer: (to) => adminAcross(network, caller, name, named(proposers, to)),
      acceptor: (to) => acceptorAdminAcross(network, caller, name, named(acceptors, to)),
    };
    const names = (nodes: readonly { name: string }[]): string[] => nodes.map((node) => node.name);
    return new Cluster(names(proposers), names(acceptors), connections, (acceptor) => `${acceptor}#${(this.#identities += 1)}`);
  }
}

/** Throws for a name that no node has. */
export function named<Node extends { readonly name: string }>(nodes: readonly Node[], name: string): Node {
  const node = nodes.find((candidate) => candidate.name === name);
  if (!node) throw new TypeError(`no node ${name}`);
  return node;
}
