import { Nodes } from '../../node-control/nodes/nodes.js';
import { ControlError } from '../../node-control/safety/objection.js';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { stepOf } from '../../node-control/safety/typed-step.js';
import type { AcceptorAdmin, Connections, ProposerAdmin } from '../../node-control/nodes/connections.js';
import { ClusterError } from '../../src/protocol/errors.js';
import type { Answer } from '../../src/http/client.js';
import { refusalOf } from '../../src/http/refusal.js';
import type { Memory } from '../../src/protocol/memory-acceptor.js';
import type { Time } from '../../src/protocol/time.js';
import type { Log } from './log.js';
import type { ProposerNode } from './proposer-node.js';
import { changeText } from './wording.js';

export interface ControlNodeOptions {
  readonly proposers: ReadonlyMap<string, ProposerNode>;
  readonly acceptors: ReadonlyMap<string, Memory>;
  readonly log: Log;
  readonly time: Time;
}

/** The commands of run-control.sh, straight to the proposers and acceptors of a transcript. */
export class ControlNode {
  readonly #log: Log;
  readonly #nodes: Nodes;

  constructor({ proposers, acceptors, log, time }: ControlNodeOptions) {
    this.#log = log;
    const connections: Connections = {
      proposer: (name) => this.#proposerAdmin(present(proposers, name)),
      acceptor: (name) => acceptorAdmin(present(acceptors, name)),
    };
    let identities = 0;
    const newIdentity = (name: string): string => `${name}#${(identities += 1)}`;
    this.#nodes = new Nodes([...proposers.keys()], [...acceptors.keys()], connections, newIdentity, { time });
  }

  /** Prints what the command says, or its error. Throws a `TypeError` for a command that is not known. */
  async run(words: readonly string[]): Promise<void> {
    const force = words.at(-1) === '--force';
    const step = stepOf(force ? words.slice(0, -1) : words);
    const terminal = { print: (line: string) => this.#log.line(line), progress: { show: () => undefined } };
    try {
      for (const line of await carryOut(step, this.#nodes, terminal, { force })) this.#log.line(line);
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      this.#log.line(`error: ${error.message}`);
    }
  }

  #proposerAdmin(node: ProposerNode): ProposerAdmin {
    return {
      configuration: () => answer(async () => node.store.configuration),
      identity: () => answer(async () => node.start),
      configure: (expectedEra, next) => {
        this.#log.add(`control -> ${node.name}`, changeText(node.store.configuration, next));
        return answer(() => node.store.reconfigure(next, expectedEra));
      },
      rescan: (era, keys) => {
        this.#log.add(`control -> ${node.name}`, `rescan ${keys.join(' ')}`);
        return answer(() => node.store.rescan(era, keys));
      },
      close: () => Promise.resolve(),
    };
  }
}

function acceptorAdmin(memory: Memory): AcceptorAdmin {
  const { registers } = memory;
  return {
    connect: () => Promise.resolve(),
    async *keys() {
      yield [...registers.keys()];
    },
    size: async () => registers.size,
    highestEra: async () => Math.max(0, ...[...registers.values()].map(({ promise }) => promise.era)),
    identity: async () => memory.identity,
    adopt: async (identity) => (memory.identity ??= identity),
    wipe: async (whose) => {
      if (whose && whose.identity !== memory.identity) throw new Error('it joined under a new identity meanwhile');
      const { size } = registers;
      registers.clear();
      delete memory.identity;
      return size;
    },
    close: () => undefined,
  };
}

async function answer<Body>(act: () => Promise<Body>): Promise<Answer<Body>> {
  try {
    return { ok: true, status: 200, body: await act() };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return refusalOf(error);
  }
}

function present<Node>(nodes: ReadonlyMap<string, Node>, name: string): Node {
  const node = nodes.get(name);
  if (!node) throw new TypeError(`there is no node ${name}`);
  return node;
}
