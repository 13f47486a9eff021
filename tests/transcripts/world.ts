import { formatTable } from '../../node-control/terminal/report.js';
import { AcceptorMonitor } from '../../verification/checkers/acceptor-monitor.js';
import { valueText } from '../../verification/simulation/acceptor-message.js';
import { AcceptorNode } from '../../verification/simulation/acceptor-node.js';
import type { ProposerNode } from '../../verification/simulation/proposer-node.js';
import { VirtualTime } from '../../verification/simulation/virtual-time.js';
import { formatBallot } from '../../src/protocol/ballot.js';
import type { ClusterText } from '../../verification/transcripts/cluster-text.js';
import type { Store } from '../../src/store/store.js';
import { ControlNode } from '../../verification/transcripts/control-node.js';
import { Log } from '../../verification/transcripts/log.js';
import { LATENCY_MS, ScriptedNetwork } from './network.js';
import { talkativeProposer } from '../../verification/transcripts/proposer-node.js';
import { configurationText, failureText } from '../../verification/transcripts/wording.js';

/** An operation that has no outcome yet. */
interface Running {
  readonly label: string;
  readonly ended: Promise<void>;
  /** Set once nobody waits for its outcome any more. */
  isAbandoned: boolean;
}

/** The nodes of a transcript, their network and their clock. */
export class World {
  readonly time = new VirtualTime();
  readonly log = new Log();
  readonly network = new ScriptedNetwork(this.time, this.log);
  readonly acceptors: ReadonlyMap<string, AcceptorNode>;
  readonly proposers: ReadonlyMap<string, ProposerNode>;
  readonly #monitor = new AcceptorMonitor();
  readonly #control: ControlNode;
  readonly #running = new Set<Running>();
  /** What is no error of the cluster, but of the transcript or of the code. */
  #bug: Error | undefined;

  constructor({ acceptors, proposers, configuration }: ClusterText) {
    const { time, network, log } = this;
    this.acceptors = new Map(acceptors.map((name) => [name, new AcceptorNode(name, this.#monitor)]));
    const acceptor = (name: string): AcceptorNode => find(this.acceptors, name, 'acceptor');
    const ids = Array.from({ length: proposers }, (_, index) => index + 1);
    const nodes = ids.map((id) => talkativeProposer({ id, configuration, acceptor, time, network, log }));
    this.proposers = new Map(nodes.map((node) => [node.name, node]));
    this.#control = new ControlNode(this);
    log.line(`${[...this.proposers.keys()].join(' ')}: ${configurationText(configuration)}`);
  }

  /** Begins an operation of a client and returns; its outcome is logged when it comes. */
  async begin(proposer: string, label: string, operation: (store: Store) => Promise<string>): Promise<void> {
    const running: Running = { label: `${proposer} ${label}`, isAbandoned: false, ended: Promise.resolve() };
    const tell = (outcome: string): void => {
      if (!running.isAbandoned) this.log.line(`${running.label} => ${outcome}`);
    };
    const ended = operation(find(this.proposers, proposer, 'proposer').running.store).then(tell, (error: unknown) =>
      tell(failureText(error)),
    );
    await this.#track(Object.assign(running, { ended }));
  }

  async control(words: readonly string[]): Promise<void> {
    await this.#track({ label: `control ${words.join(' ')}`, ended: this.#control.run(words), isAbandoned: false });
  }

  /** The process of a proposer dies, and the next one starts. */
  restart(proposer: string): void {
    const node = find(this.proposers, proposer, 'proposer');
    for (const running of this.#running) {
      if (!running.label.startsWith(`${proposer} `)) continue;
      running.isAbandoned = true;
      this.#running.delete(running);
      this.log.line(`${running.label} => no answer: ${proposer} died`);
    }
    node.crash();
    node.start();
    this.log.add(proposer, `starts again, incarnation ${node.running.start.incarnation}`);
  }

  /** An acceptor comes back with an empty disk. */
  loseDisk(acceptor: string): void {
    find(this.acceptors, acceptor, 'acceptor').loseDisk();
    this.log.line(`${acceptor}  starts again, with an empty disk`);
  }

  /** Lets time pass until every operation has its outcome. */
  async wait(): Promise<void> {
    await this.time.run(Promise.all([...this.#running].map(({ ended }) => ended)));
  }

  /** Lets everything happen that is under way; nobody's patience ends meanwhile. */
  async untilQuiet(): Promise<void> {
    do await this.time.advance(LATENCY_MS);
    while (!this.network.isQuiet);
    if (this.#bug) throw this.#bug;
  }

  /** What each acceptor holds for a key. */
  registers(key: string): void {
    const rows = [...this.acceptors].map(([name, { memory }]) => {
      const register = memory.registers.get(key);
      if (!register) return [name, '-', '-', '-'];
      const { promise, ballot, value } = register;
      return [name, formatBallot(promise) || '-', formatBallot(ballot) || '-', value === null ? '-' : valueText(value)];
    });
    for (const line of formatTable([['', 'promise', 'ballot', `value of ${key}`], ...rows])) this.log.line(line);
  }

  /** Throws where the transcript ends too early, or an acceptor did what none may. */
  assertOver(): void {
    this.network.assertMet();
    for (const { rule, message } of this.#monitor.violations) throw new Error(`${rule}: ${message}`);
    const labels = [...this.#running].map(({ label }) => label);
    if (labels.length > 0) throw new Error(`still without an outcome: ${labels.join(', ')}`);
  }

  async #track(running: Running): Promise<void> {
    this.#running.add(running);
    running.ended
      .catch((error: unknown) => (this.#bug = error instanceof Error ? error : new Error(String(error))))
      .finally(() => this.#running.delete(running))
      .catch(() => undefined);
    // What begins next begins after the first messages of this one were sent.
    await this.time.settle();
  }
}

/** Throws a `TypeError` for a name that is not known. */
function find<Node>(nodes: ReadonlyMap<string, Node>, name: string, role: string): Node {
  const node = nodes.get(name);
  if (!node) throw new TypeError(`there is no ${role} ${name}`);
  return node;
}
