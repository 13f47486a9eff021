import type { Acceptor, Floor, RegisterState } from '../../src/protocol/acceptor.js';
import { ZERO_BALLOT } from '../../src/protocol/ballot.js';
import { disconnectAll } from '../../src/redis/memory-admin.js';
import { MemoryAcceptor } from '../../src/protocol/memory-acceptor.js';
import { forgetAll, type GreetedMemory, greetMemory } from '../../src/redis/memory-greeting.js';
import type { Greeted, Greeting } from '../../src/store/greeting.js';
import type { AcceptorMonitor } from '../checkers/acceptor-monitor.js';
import { acceptorBehind, type Message, messageText, type Reply, replyText } from './acceptor-message.js';
import type { Network } from './network.js';
import type { Process } from './process.js';

/** An acceptor with a disk: what it holds outlasts its crashes. */
export class AcceptorNode {
  readonly name: string;
  readonly memory: GreetedMemory;
  readonly #monitor: AcceptorMonitor;
  /** What it held at earlier moments, the latest last, for a disk that goes back. Nobody looks where none can. */
  readonly moments: GreetedMemory[] = [];
  readonly #hasMoments: boolean;
  /** Which of its starts this is: a connection lasts no longer. */
  starts = 1;
  #isUp = true;

  /**
   * @param identity of one that belongs to the cluster from the start
   * @param hasMoments whether what it holds is kept for a disk that goes back
   */
  constructor(name: string, monitor: AcceptorMonitor, identity?: string, hasMoments = false) {
    this.name = name;
    this.#hasMoments = hasMoments;
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
    if (!this.#isUp) this.starts += 1;
    this.#isUp = true;
  }

  /** All data is gone, and with it who this acceptor is. */
  loseDisk(): void {
    forgetAll(this.memory);
    this.wiped();
  }

  /** Its disk is what it was at an earlier moment. What it is held to from now on is what that is held to. */
  goBack({ registers, ...rest }: GreetedMemory): void {
    forgetAll(this.memory);
    for (const [key, state] of registers) this.memory.registers.set(key, state);
    Object.assign(this.memory, rest);
    this.#monitor.forgot(this.name);
  }

  /** @param start the one over whose connection it comes */
  async greet(start: number, greeting: Greeting): Promise<Greeted> {
    if (!this.#isUp || start !== this.starts) throw new Error('connection reset');
    return greetMemory(this.memory, greeting);
  }

  /** What it is held to from now on is what an empty acceptor is held to. */
  wiped(): void {
    this.#monitor.forgot(this.name);
  }

  /** A collection has removed the register of a key, or has left it. */
  removed(key: string): void {
    if (!this.memory.registers.has(key)) this.#monitor.removed(this.name, key, absentUnder(this.memory.floor).promise);
  }

  /** Does what the control node asks. Rejects while the acceptor is down. */
  async act<Result>(task: () => Promise<Result>): Promise<Result> {
    if (!this.#isUp) throw new Error('connection refused');
    return task();
  }

  /** Does what a message for a key asks of the acceptor that is meant, watched by the monitor. Rejects while the acceptor is down. */
  async answer<Reply>(key: string, identity: string | undefined, ask: (acceptor: Acceptor) => Promise<Reply>): Promise<Reply> {
    if (!this.#isUp) throw new Error('connection refused');
    if (this.#hasMoments) this.moments.push({ ...this.memory, registers: new Map(this.memory.registers) });
    return this.watched([key], () => ask(new MemoryAcceptor(this.memory, identity)));
  }

  /** A step on the registers of some keys, which is taken before it returns its promise. */
  watched<Result>(keys: readonly string[], step: () => Promise<Result>): Promise<Result> {
    const look = (): RegisterState[] => keys.map((key) => this.memory.registers.get(key) ?? absentUnder(this.memory.floor));
    const before = look();
    const result = step();
    for (const [index, after] of look().entries()) this.#monitor.observe(this.name, keys[index] ?? '', before[index] ?? after, after);
    return result;
  }
}

/** What a register that is absent counts as: it has promised the floor's era. */
export function absentUnder(floor: Floor | undefined): RegisterState {
  return { promise: { ...ZERO_BALLOT, era: floor?.era ?? 0 }, ballot: ZERO_BALLOT, value: null };
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
    sendAcross({ network, caller, from, node }, message, () => node.answer(message.key, identity, ask)),
  );
}

export interface Route {
  readonly network: Network;
  readonly caller: Process;
  readonly from: string;
  readonly node: AcceptorNode;
}

/** Sends a message to an acceptor. @param act what it does there, each time that it arrives */
export function sendAcross<Answer extends Reply>(
  { network, caller, from, node }: Route,
  message: Message,
  act: () => Promise<Answer>,
): Promise<Answer> {
  return network.call({
    caller,
    from,
    to: node.name,
    kind: message.kind,
    about: message.key,
    request: () => messageText(message),
    reply: replyText,
    act,
    mayRepeat: true,
  });
}
