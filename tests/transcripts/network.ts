import { type Letter, Network } from '../../verification/simulation/network.js';
import type { VirtualTime } from '../../verification/simulation/virtual-time.js';
import type { Log } from '../../verification/transcripts/log.js';

/** How long every message is on its way, in milliseconds: they arrive in the order in which they were sent. */
export const LATENCY_MS = 1;

/** Which messages a rule is about. `*` stands for any. */
export interface Pattern {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
}

interface Rule extends Pattern {
  met: boolean;
}

/** Logs each message between proposers and acceptors when it arrives, and does to some what the transcript says. */
export class ScriptedNetwork extends Network {
  readonly #time: VirtualTime;
  readonly #log: Log;
  #losses: Rule[] = [];
  #holds: Rule[] = [];
  #held: Letter[] = [];
  /** Messages that neither arrived yet nor were held or lost. */
  #underWay = 0;

  constructor(time: VirtualTime, log: Log) {
    super();
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
    for (const letter of held) this.send(letter);
  }

  /** Throws where a message was to be lost, or held, that nobody sent. */
  assertMet(which: 'losses' | 'all' = 'all'): void {
    const rules = which === 'losses' ? this.#losses : [...this.#losses, ...this.#holds];
    const unmet = rules.filter(({ met }) => !met).map(({ from, to, kind }) => `${from} -> ${to} ${kind}`);
    if (unmet.length > 0) throw new Error(`no such message was sent: ${unmet.join(', ')}`);
  }

  protected override send(letter: Letter): void {
    // What the control node does is told as a whole, not message by message.
    if (letter.kind === '') letter.arrive();
    else this.#transmit(letter);
  }

  #transmit(letter: Letter): void {
    this.#underWay += 1;
    this.#time.after(LATENCY_MS, () => {
      this.#underWay -= 1;
      const arrow = this.#arrowFor(letter);
      this.#log.add(`${letter.from} ${arrow} ${letter.to}`, letter.text());
      if (arrow === '-|') this.#held.push(letter);
      if (arrow === '->') letter.arrive();
    });
  }

  #arrowFor(letter: Letter): '->' | '-x' | '-|' {
    const loss = this.#losses.find((rule) => !rule.met && matches(rule, letter));
    if (loss) {
      loss.met = true;
      return '-x';
    }
    const holds = this.#holds.filter((rule) => matches(rule, letter));
    for (const rule of holds) rule.met = true;
    return holds.length > 0 ? '-|' : '->';
  }
}

function matches(rule: Rule, letter: Letter): boolean {
  return (['from', 'to', 'kind'] as const).every((part) => rule[part] === '*' || rule[part] === letter[part]);
}
