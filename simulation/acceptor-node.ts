import type { Accepted, Acceptor, AcceptReply, PrepareReply, Value } from '../src/acceptor.js';
import { type Ballot, formatBallot, ZERO_BALLOT } from '../src/ballot.js';
import { MemoryAcceptor } from '../src/memory-acceptor.js';
import type { AcceptorMonitor, RegisterState } from './checkers/acceptor-monitor.js';
import type { Network } from './network.js';
import type { Process } from './process.js';

const EMPTY: RegisterState = { promise: ZERO_BALLOT, ballot: ZERO_BALLOT, value: null };

/** An acceptor with a disk: what it holds outlasts its crashes. */
export class AcceptorNode {
  readonly name: string;
  #memory = new MemoryAcceptor();
  readonly #monitor: AcceptorMonitor;
  #isUp = true;
  /** Number of the connections that are open. What arrives over an older one is not carried out. */
  connections = 0;

  constructor(name: string, monitor: AcceptorMonitor) {
    this.name = name;
    this.#monitor = monitor;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  crash(): void {
    this.#isUp = false;
  }

  start(): void {
    this.#isUp = true;
  }

  /** As SCAN lists them: every register, also one that holds only a promise. */
  keys(): string[] {
    return [...this.#memory.registers.keys()];
  }

  /** Removes all data, and closes every older connection of the control node. Returns how many registers there were. */
  wipe(): number {
    const { size } = this.#memory.registers;
    this.#memory = new MemoryAcceptor();
    this.#monitor.forgot(this.name);
    this.connections += 1;
    return size;
  }

  /** Does what a request asks, watched by the monitor. Rejects while the acceptor is down. */
  async act<Result>(task: (memory: MemoryAcceptor) => Promise<Result>, key?: string): Promise<Result> {
    if (!this.#isUp) throw new Error('connection refused');
    if (key === undefined) return task(this.#memory);
    const before = this.#memory.registers.get(key) ?? EMPTY;
    // The acceptor in memory acts before it returns its promise.
    const result = task(this.#memory);
    this.#monitor.observe(this.name, key, before, this.#memory.registers.get(key) ?? EMPTY);
    return result;
  }
}

/** The acceptor as a proposer's process sees it across the network. */
export function acceptorAcross(network: Network, caller: Process, from: string, node: AcceptorNode): Acceptor {
  const call = <Reply>(
    kind: string,
    key: string,
    request: () => string,
    reply: (reply: Reply) => string,
    act: (memory: MemoryAcceptor) => Promise<Reply>,
  ): Promise<Reply> => network.call({ caller, from, to: node.name, kind, request, reply, act: () => node.act(act, key), mayRepeat: true });
  return {
    prepare: (key: string, ballot: Ballot): Promise<PrepareReply> =>
      call(
        'prepare',
        key,
        () => `prepare ${key} ${formatBallot(ballot)}`,
        (reply) => (reply.ok ? `promised ${key}, ${acceptedText(reply)}` : `refused ${key}: ${formatBallot(reply.conflict)}`),
        (memory) => memory.prepare(key, ballot),
      ),
    accept: (key: string, ballot: Ballot, value: Value, next: Ballot): Promise<AcceptReply> =>
      call(
        'accept',
        key,
        () => `accept ${key} ${formatBallot(ballot)} ${value ?? 'nothing'}, promise ${formatBallot(next)}`,
        (reply) => (reply.ok ? `accepted ${key}` : `refused ${key}: ${formatBallot(reply.conflict)}`),
        (memory) => memory.accept(key, ballot, value, next),
      ),
    read: (key: string): Promise<Accepted> =>
      call(
        'read',
        key,
        () => `read ${key}`,
        (reply) => `holds ${key}: ${acceptedText(reply)}`,
        (memory) => memory.read(key),
      ),
  };
}

function acceptedText({ ballot, value }: Accepted): string {
  return value === null && formatBallot(ballot) === '' ? 'nothing accepted' : `${formatBallot(ballot)} ${value ?? 'nothing'}`;
}
