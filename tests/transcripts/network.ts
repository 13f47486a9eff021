import type { VirtualTime } from '../../verification/simulation/virtual-time.js';
import type { Log } from './log.js';

/** How long every message is on its way, in milliseconds: they arrive in the order in which they were sent. */
export const LATENCY_MS = 1;

export const MESSAGE_KINDS = ['prepare', 'accept', 'read'] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

export interface Call<Reply> {
  readonly from: string;
  readonly to: string;
  /** Of the request; its reply counts as the same kind. */
  readonly kind: MessageKind;
  readonly request: string;
  readonly act: () => Promise<Reply>;
  readonly reply: (reply: Reply) => string;
  /** Whether the process that called is still there to hear the reply. */
  readonly isAlive: () => boolean;
}

/** Which messages a rule is about. `*` stands for any. */
export interface Pattern {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
}

interface Message {
  readonly from: string;
  readonly to: string;
  readonly kind: MessageKind;
  readonly text: string;
  readonly arrive: () => void;
}

interface Rule extends Pattern {
  met: boolean;
}

/** Carries messages between proposers and acceptors, logs each when it arrives, and does to some what the transcript says. */
export class Network {
  readonly #time: VirtualTime;
  readonly #log: Log;
  #losses: Rule[] = [];
  #holds: Rule[] = [];
  #held: Message[] = [];
  /** Messages that neither arrived yet nor were held or lost. */
  #underWay = 0;

  constructor(time: VirtualTime, log: Log) {
    this.#time = time;
    this.#log = log;
  }

  get isQuiet(): boolean {
    return this.#underWay === 0;
  }

  /** Loses the next message of this pattern. */
  lose(pattern: Pattern): void {
    this.#losses.push({ ...pattern, met: false });
  }

  /** Holds messages of this pattern back until they are released. */
  hold(pattern: Pattern): void {
    this.#holds.push({ ...pattern, met: false });
  }

  /** Ends the holds and sends on what they held. Throws where there is nothing held. */
  release(): void {
    const held = this.#held;
    if (held.length === 0) throw new Error('nothing is held');
    this.assertMet();
    this.#held = [];
    this.#holds = [];
    for (const message of held) this.#send(message);
  }

  /** Throws where a message was to be lost, or held, that nobody sent. */
  assertMet(which: 'losses' | 'all' = 'all'): void {
    const rules = which === 'losses' ? this.#losses : [...this.#losses, ...this.#holds];
    const unmet = rules.filter(({ met }) => !met).map(({ from, to, kind }) => `${from} -> ${to} ${kind}`);
    if (unmet.length > 0) throw new Error(`no such message was sent: ${unmet.join(', ')}`);
  }

  call<Reply>({ from, to, kind, request, act, reply, isAlive }: Call<Reply>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const refuse = (error: unknown): void => {
        const reason = error instanceof Error ? error : new Error(String(error));
        this.#send({ from: to, to: from, kind, text: reason.message, arrive: () => (isAlive() ? reject(reason) : undefined) });
      };
      const answer = (result: Reply): void => {
        const text = reply(result);
        this.#send({ from: to, to: from, kind, text, arrive: () => (isAlive() ? resolve(result) : undefined) });
      };
      this.#send({ from, to, kind, text: request, arrive: () => void act().then(answer, refuse) });
    });
  }

  #send(message: Message): void {
    this.#underWay += 1;
    this.#time.after(LATENCY_MS, () => {
      this.#underWay -= 1;
      const arrow = this.#arrowFor(message);
      this.#log.add(`${message.from} ${arrow} ${message.to}`, message.text);
      if (arrow === '-|') this.#held.push(message);
      if (arrow === '->') message.arrive();
    });
  }

  #arrowFor(message: Message): '->' | '-x' | '-|' {
    const loss = this.#losses.find((rule) => !rule.met && matches(rule, message));
    if (loss) {
      loss.met = true;
      return '-x';
    }
    const holds = this.#holds.filter((rule) => matches(rule, message));
    for (const rule of holds) rule.met = true;
    return holds.length > 0 ? '-|' : '->';
  }
}

function matches(rule: Rule, message: Message): boolean {
  return (['from', 'to', 'kind'] as const).every((part) => rule[part] === '*' || rule[part] === message[part]);
}
