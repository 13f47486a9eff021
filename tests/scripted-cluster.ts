import type { Acceptor } from '../src/protocol/acceptor.js';
import type { Configuration } from '../src/protocol/configuration.js';
import { UnfitAcceptor } from '../src/protocol/errors.js';
import { type Memory, MemoryAcceptor } from '../src/protocol/memory-acceptor.js';
import type { ProposerEvents } from '../src/protocol/events.js';
import { Registers } from './registers.js';
import type { QuorumSet } from '../src/protocol/quorum.js';
import { acceptorBehind, type Message } from '../verification/simulation/acceptor-message.js';
import { VirtualTime } from '../verification/simulation/virtual-time.js';

/**
 * What becomes of a message: `refuse` fails at once without a deed, `decline` too, and is known to be no deed, `break` acts and then fails,
 * `lose` never arrives, `silence` acts and never answers, `hold` acts and answers when the test says so.
 */
export type Fate = 'answer' | 'refuse' | 'decline' | 'break' | 'lose' | 'silence' | 'hold';

/** An in-memory acceptor that keeps a log of what it was asked and does with each message what the test wants. */
export class ScriptedAcceptor {
  /** All that it holds. */
  readonly disk: Memory = { registers: new Map() };
  readonly memory = new MemoryAcceptor(this.disk);
  readonly log: Message[] = [];
  fate: (message: Message) => Fate = () => 'answer';
  /** To be asked through. */
  readonly link: Acceptor = acceptorBehind((message, ask) => this.#receive(message, () => ask(this.memory)));
  readonly #held: (() => void)[] = [];

  /** Sends the answers that were held back. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  async #receive<Reply>(message: Message, act: () => Promise<Reply>): Promise<Reply> {
    this.log.push(message);
    const fate = this.fate(message);
    if (fate === 'refuse') throw new Error('connection refused');
    if (fate === 'decline') throw new UnfitAcceptor('it has no disk');
    if (fate === 'lose') return new Promise(() => undefined);
    const reply = await act();
    if (fate === 'break') throw new Error('connection broken');
    if (fate === 'silence') return new Promise(() => undefined);
    if (fate === 'hold') await new Promise<void>((resolve) => this.#held.push(resolve));
    return reply;
  }
}

export const TIMEOUT_MS = 100;

/** Acceptors `a1`, `a2`, … in memory, and proposers that reach them, in virtual time. */
export class ScriptedCluster {
  readonly time = new VirtualTime();
  readonly names: string[];
  readonly acceptors: ReadonlyMap<string, ScriptedAcceptor>;

  constructor(size: number) {
    this.names = Array.from({ length: size }, (_, index) => `a${index + 1}`);
    this.acceptors = new Map(this.names.map((name) => [name, new ScriptedAcceptor()]));
  }

  acceptor(name: string): ScriptedAcceptor {
    const acceptor = this.acceptors.get(name);
    if (!acceptor) throw new TypeError(`no acceptor ${name}`);
    return acceptor;
  }

  proposer(id: number, configuration: Configuration = this.configuration(), incarnation = 1, events?: ProposerEvents): Registers {
    const acceptor = (name: string): Acceptor => this.acceptor(name).link;
    return new Registers({ id, incarnation, configuration, acceptor, time: this.time, timeoutMs: TIMEOUT_MS, ...(events && { events }) });
  }

  /** All acceptors in both sets, a majority of them as quorum, unless told otherwise. */
  configuration({
    era = 1,
    prepare = this.#majority(),
    accept = this.#majority(),
  }: { era?: number; prepare?: QuorumSet; accept?: QuorumSet } = {}): Configuration {
    return { era, prepare, accept };
  }

  /** Messages of one kind, or all, in the order that each acceptor got them. */
  messages<Kind extends Message['kind']>(kind: Kind): Extract<Message, { kind: Kind }>[] {
    const ofKind = (message: Message): message is Extract<Message, { kind: Kind }> => message.kind === kind;
    return [...this.acceptors.values()].flatMap(({ log }) => log.filter(ofKind));
  }

  forget(): void {
    for (const { log } of this.acceptors.values()) log.length = 0;
  }

  /** The same fate for these acceptors; the others answer. */
  fates(fates: Readonly<Record<string, Fate | ((message: Message) => Fate)>>): void {
    for (const [name, acceptor] of this.acceptors) {
      const fate = fates[name] ?? 'answer';
      acceptor.fate = typeof fate === 'function' ? fate : () => fate;
    }
  }

  /** A copy of all that the acceptors hold. */
  snapshot(): unknown {
    return structuredClone([...this.acceptors].map(([name, { memory }]) => [name, memory.registers]));
  }

  #majority(): QuorumSet {
    return { nodes: this.names, quorum: Math.floor(this.names.length / 2) + 1 };
  }
}

/** A fate for one kind of message; the others are answered. */
export function only(kind: Message['kind'], fate: Fate): (message: Message) => Fate {
  return (message) => (message.kind === kind ? fate : 'answer');
}
