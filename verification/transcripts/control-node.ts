import { Nodes } from '../../node-control/nodes/nodes.js';
import { ControlError } from '../../node-control/safety/objection.js';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { stepOf } from '../../node-control/safety/typed-step.js';
import type { AcceptorAdmin } from '../../src/redis/acceptor-admin.js';
import { formatBallot } from '../../src/protocol/ballot.js';
import type { ProposerAdmin } from '../../node-control/nodes/connections.js';
import type { AcceptorNode } from '../simulation/acceptor-node.js';
import { acceptorAdminAcross, adminAcross } from '../simulation/admin-ports.js';
import type { Network } from '../simulation/network.js';
import { Process } from '../simulation/process.js';
import type { ProposerNode } from '../simulation/proposer-node.js';
import type { VirtualTime } from '../simulation/virtual-time.js';
import type { Log } from './log.js';
import { changeText } from './wording.js';

const NAME = 'control';

export interface ControlNodeOptions {
  readonly proposers: ReadonlyMap<string, ProposerNode>;
  readonly acceptors: ReadonlyMap<string, AcceptorNode>;
  readonly network: Network;
  readonly log: Log;
  readonly time: VirtualTime;
}

/** The commands of run-control.sh, on the proposers and acceptors of a transcript or of the playground. */
export class ControlNode {
  readonly #log: Log;
  readonly #nodes: Nodes;

  constructor({ proposers, acceptors, network, log, time }: ControlNodeOptions) {
    this.#log = log;
    const process = new Process(time);
    const connections = {
      proposer: (name: string) => {
        const node = present(proposers, name);
        return this.#logged(node, adminAcross(network, process, NAME, node));
      },
      acceptor: (name: string) => this.#collecting(name, acceptorAdminAcross(network, process, NAME, present(acceptors, name))),
    };
    let identities = 0;
    const newIdentity = (name: string): string => `${name}#${(identities += 1)}`;
    this.#nodes = new Nodes([...proposers.keys()], [...acceptors.keys()], connections, newIdentity, { time });
  }

  /** Prints what the command says, or its error. Throws a `TypeError` for a command that is not known. */
  async run(words: readonly string[]): Promise<void> {
    const step = stepOf(words.filter((word) => !word.startsWith('--')));
    const manner = { force: words.includes('--force'), byRounds: words.includes('--by-rounds') };
    const terminal = { print: (line: string) => this.#log.line(line), progress: { show: () => undefined } };
    try {
      for (const line of await carryOut(step, this.#nodes, terminal, manner)) this.#log.line(line);
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      this.#log.line(`error: ${error.message}`);
    }
  }

  /** Logs what is asked of a proposer, besides questions. */
  #logged(node: ProposerNode, admin: ProposerAdmin): ProposerAdmin {
    const say = (what: string): void => this.#log.add(`${NAME} -> ${node.name}`, what);
    return {
      ...admin,
      configure: (expectedEra, next) => {
        say(changeText(node.configuration, next));
        return admin.configure(expectedEra, next);
      },
      rescan: (era, keys) => {
        say(`rescan ${keys.join(' ')}`);
        return admin.rescan(era, keys);
      },
    };
  }

  /** Logs what a collection changes on an acceptor. */
  #collecting(name: string, admin: AcceptorAdmin): AcceptorAdmin {
    const say = (what: string): void => this.#log.add(`${NAME} -> ${name}`, what);
    return {
      ...admin,
      raiseFloor: (floor) => {
        say(`floor: era ${floor.era}, version ${floor.version}`);
        return admin.raiseFloor(floor);
      },
      erase: (era, tombstones) => {
        say(`remove ${tombstones.map(({ key, ballot }) => `${key}, deleted at ${formatBallot(ballot)}`).join('; ')}`);
        return admin.erase(era, tombstones);
      },
    };
  }
}

function present<Node>(nodes: ReadonlyMap<string, Node>, name: string): Node {
  const node = nodes.get(name);
  if (!node) throw new TypeError(`there is no node ${name}`);
  return node;
}
