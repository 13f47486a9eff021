import type { Acceptor, RegisterState } from '../../src/protocol/acceptor.js';
import { ZERO_BALLOT } from '../../src/protocol/ballot.js';
import { disconnectAll } from '../../src/redis/memory-admin.js';
import { type Memory, MemoryAcceptor } from '../../src/protocol/memory-acceptor.js';
import type { AcceptorMonitor } from '../checkers/acceptor-monitor.js';
import { acceptorBehind, messageText, replyText } from './acceptor-message.js';
import type { Network } from './network.js';
import type { Process } from './process.js';

const EMPTY: RegisterState = { promise: ZERO_BALLOT, ballot: ZERO_BALLOT, value: null };

/** An acceptor with a disk: what it holds outlasts its crashes. */
export class AcceptorNode {
  readonly name: string;
  readonly memory: Memory;
  readonly #monitor: AcceptorMonitor;
  #isUp = true;

  /** @param identity of one that belongs to the cluster from the start */
  constructor(name: string, monitor: AcceptorMonitor, identity?: string) {
    this.name = name;
    this.#monitor = monitor;
    this.memory = { registers: new Map(), ...(identity !== undefined && { identity }) };
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get identity(): string | undefined {
    return this.memory.identity;
  }

  crash(): void {
    this.#isUp = false;
    disconnectAll(this.memory);
  }

  start(): void {
    this.#isUp = true;
  }

  /** All data is gone, and with it who this acceptor is. */
  loseDisk(): void {
    this.memory.registers.clear();
    delete this.memory.identity;
    this.wiped();
  }

  /** What it is held to from now on is what an empty acceptor is held to. */
  wiped(): void {
    this.#monitor.forgot(this.name);
  }

  /** Does what the control node asks. Rejects while the acceptor is down. */
  async act<Result>(task: () => Promise<Result>): Promise<Result> {
    if (!this.#isUp) throw new Error('connection refused');
    return task();
  }

  /** Does what a message for a key asks of the acceptor that is meant, watched by the monitor. Rejects while the acceptor is down. */
  async answer<Reply>(key: string, identity: string | undefined, ask: (acceptor: Acceptor) => Promise<Reply>): Promise<Reply> {
    if (!this.#isUp) throw new Error('connection refused');
    const { registers } = this.memory;
    const before = registers.get(key) ?? EMPTY;
    // The acceptor in memory acts before it returns its promise.
    const reply = ask(new MemoryAcceptor(this.memory, identity));
    this.#monitor.observe(this.name, key, before, registers.get(key) ?? EMPTY);
    return reply;
  }
}

/** The acceptor as a proposer's process sees it across the network. */
export function acceptorAcross(
  network: Network,
  caller: Process,
  from: string,
  node: AcceptorNode,
  identity: string | undefined,
): Acceptor {
  return acceptorBehind((message, ask) =>
    network.call({
      caller,
      from,
      to: node.name,
      kind: message.kind,
      about: message.key,
      request: () => messageText(message),
      reply: replyText,
      act: () => node.answer(message.key, identity, ask),
      mayRepeat: true,
    }),
  );
}
