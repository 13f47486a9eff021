import { forkedFrom, randomFrom } from '../../client/random.js';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { Nodes } from '../../node-control/nodes/nodes.js';
import { ControlError } from '../../node-control/safety/objection.js';
import { parse } from '../../node-control/safety/typed-step.js';
import { EMPTY_CONFIGURATION } from '../../src/protocol/configuration.js';
import { sleep } from '../../src/protocol/time.js';
import type { Store } from '../../src/store/store.js';
import { AcceptorMonitor } from '../../verification/checkers/acceptor-monitor.js';
import { acceptorAcross, AcceptorNode } from '../../verification/simulation/acceptor-node.js';
import { acceptorAdminAcross, adminAcross } from '../../verification/simulation/admin-ports.js';
import { type Letter, Network } from '../../verification/simulation/network.js';
import { acceptorName, proposerName } from '../../verification/simulation/node-names.js';
import { named } from '../../verification/simulation/operator.js';
import { Process } from '../../verification/simulation/process.js';
import { ProposerNode } from '../../verification/simulation/proposer-node.js';
import { VirtualTime } from '../../verification/simulation/virtual-time.js';

const LATENCY_MS = 1;
const LIMITS = { patienceMs: 300, retryPauseMs: 2, resolvePauseMs: 5, acceptorTimeoutMs: 50, acceptorLateMs: 12, resolveMs: 200 };

class SoundNetwork extends Network {
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    super();
    this.#time = time;
  }

  send({ arrive }: Letter): void {
    this.#time.after(LATENCY_MS, arrive);
  }
}

/** Three acceptors and two proposers of the simulation, nothing configured, and the control node's commands. */
export class OperatedNodes {
  readonly time = new VirtualTime();
  readonly acceptors: readonly AcceptorNode[];
  readonly proposers: readonly ProposerNode[];
  readonly nodes: Nodes;
  #identities = 0;

  constructor(seed = 1) {
    const { time } = this;
    const network = new SoundNetwork(time);
    const seeds = randomFrom(seed);
    const monitor = new AcceptorMonitor();
    this.acceptors = [1, 2, 3].map((number) => new AcceptorNode(acceptorName(number), monitor));
    this.proposers = [1, 2].map((id) => {
      const name = proposerName(id);
      const random = forkedFrom(seeds);
      return new ProposerNode({
        name,
        id,
        configuration: EMPTY_CONFIGURATION,
        time,
        acceptor: (caller, to, identity) => acceptorAcross(network, caller, name, named(this.acceptors, to), identity),
        options: () => ({ limits: LIMITS, random }),
      });
    });
    const caller = new Process(time);
    const connections = {
      proposer: (name: string) => adminAcross(network, caller, 'control', named(this.proposers, name)),
      acceptor: (name: string) => acceptorAdminAcross(network, caller, 'control', named(this.acceptors, name)),
    };
    const newIdentity = (name: string): string => `${name}#${(this.#identities += 1)}`;
    const names = (all: readonly { readonly name: string }[]): string[] => all.map(({ name }) => name);
    this.nodes = new Nodes(names(this.proposers), names(this.acceptors), connections, newIdentity, { time });
  }

  /** A command as typed behind run-control.sh: undefined where it is done, else why not. */
  async type(command: string): Promise<string | undefined> {
    try {
      await this.time.run(carryOut(parse(command), this.nodes));
      return undefined;
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      return error.message;
    }
  }

  /** Types commands that are all done. Throws where one is not. */
  async typeAll(commands: readonly string[]): Promise<void> {
    for (const command of commands) {
      const refusal = await this.type(command);
      if (refusal !== undefined) throw new Error(`${command}: ${refusal}`);
    }
  }

  /** Writes through the first proposer that is up, if that can be. */
  async put(key: string): Promise<void> {
    await this.#through((store) => store.change(key, () => 'v'));
  }

  /** Deletes through the first proposer that is up, if that can be. */
  async delete(key: string): Promise<void> {
    await this.#through((store) => store.delete(key));
  }

  async #through(act: (store: Store) => Promise<unknown>): Promise<void> {
    const proposer = this.proposers.find(({ isUp }) => isUp);
    const done = proposer && act(proposer.running.store).catch(() => undefined);
    await this.time.run(Promise.race([done, sleep(this.time, 1_000)]));
  }

  /** All that a command could change. */
  snapshot(): unknown {
    return structuredClone([
      this.proposers.map(({ configuration }) => configuration),
      this.acceptors.map(({ memory }) => [...memory.registers.keys(), memory.identity, memory.floor]),
    ]);
  }
}
