import type { Configuration } from '../../src/protocol/configuration.js';
import type { CollectorReply } from './collector-messages.js';
import { type CollectorInput, CollectorRun } from './collector-run.js';
import { Computed } from './computed.js';
import type { ControlTask } from './control-tasks.js';
import type { AnyMessage, AnyReply, Numbered } from './messages.js';
import type { AdminWrite } from './scenario.js';

/** A collection or a copying between two moments at which something it heard makes it go on. */
export interface CollectorMoment {
  readonly number: number;
  /** The way here. */
  readonly inputs: readonly CollectorInput[];
  /** What it waits for replies to, and from whom, by their places: from all of them. */
  readonly asking?: { readonly message: number; readonly acceptors: readonly number[] };
  /** What it waits to have written to a proposer that is at this era. */
  readonly writing?: AdminWrite & { readonly expectedEra: number; readonly isSent: boolean };
  /** It waits for the configurations of all proposers. */
  readonly isReading: boolean;
  readonly isOver: boolean;
}

export interface CollectorPlaces {
  readonly proposers: number;
  readonly acceptorNames: readonly string[];
  readonly alike: readonly (readonly number[])[];
  readonly identities: Readonly<Record<string, string>>;
}

/** A collection or a copying as an automaton: a function of what it hears, each of whose moments is computed once, by running the product's code. */
export class CollectorStates {
  readonly #task: ControlTask;
  readonly #places: CollectorPlaces;
  readonly #messages: Numbered<AnyMessage>;
  readonly #replies: Numbered<AnyReply>;
  readonly #moments = new Map<string, CollectorMoment>();
  readonly #next = new Computed<string, CollectorMoment>();

  constructor(task: ControlTask, places: CollectorPlaces, messages: Numbered<AnyMessage>, replies: Numbered<AnyReply>) {
    this.#task = task;
    this.#places = places;
    this.#messages = messages;
    this.#replies = replies;
  }

  initial(): Promise<CollectorMoment> {
    return this.#momentAfter([]);
  }

  /** @param replies of all that were asked, by their places; which of several acceptors that are alike said what makes no difference */
  hear(moment: CollectorMoment, replies: ReadonlyMap<number, number>): CollectorMoment {
    const inOrder = new Map<number, number>();
    for (const group of this.#places.alike) {
      const ofGroup = group.flatMap((at) => replies.get(at) ?? []).sort((a, b) => a - b);
      for (const at of group) if (replies.has(at)) inOrder.set(at, ofGroup.shift() ?? 0);
    }
    const numbers = (moment.asking?.acceptors ?? []).map((at) => inOrder.get(at) ?? 0);
    return this.#after(moment, `hears ${numbers.join()}`, {
      kind: 'replies',
      replies: numbers.map((number) => this.#replies.at(number) as CollectorReply),
    });
  }

  /** What was to be written is in force; undefined: it was refused. */
  written(moment: CollectorMoment, configuration: Configuration | undefined): CollectorMoment {
    return this.#after(moment, configuration ? 'is done' : 'is refused', { kind: 'written', configuration });
  }

  /** It has to wait until a round is over. */
  sent(moment: CollectorMoment): CollectorMoment {
    return this.#after(moment, 'waits', { kind: 'sent' });
  }

  told(moment: CollectorMoment, configurations: readonly Configuration[]): CollectorMoment {
    return this.#after(moment, `is told ${JSON.stringify(configurations)}`, { kind: 'configurations', configurations });
  }

  #after(moment: CollectorMoment, what: string, input: CollectorInput): CollectorMoment {
    return this.#next.get(`${moment.number} ${what}`, () => this.#momentAfter([...moment.inputs, input]));
  }

  async #momentAfter(inputs: readonly CollectorInput[]): Promise<CollectorMoment> {
    const { proposers, acceptorNames, identities } = this.#places;
    const run = new CollectorRun(this.#task, proposers, acceptorNames, identities);
    await run.settle();
    for (const input of inputs) await run.apply(input);
    const { wish } = run;
    // Once it is over, nothing tells how it got there.
    const key = wish.kind === 'nothing' ? '' : JSON.stringify(inputs);
    const known = this.#moments.get(key);
    if (known) return known;
    const moment: CollectorMoment = {
      number: this.#moments.size,
      inputs,
      ...(wish.kind === 'replies' && {
        asking: { message: this.#messages.numberOf(wish.message), acceptors: wish.acceptors.map((name) => acceptorNames.indexOf(name)) },
      }),
      ...(wish.kind === 'write' && { writing: { ...wish.write, expectedEra: wish.expectedEra, isSent: wish.isSent } }),
      isReading: wish.kind === 'configurations',
      isOver: wish.kind === 'nothing',
    };
    this.#moments.set(key, moment);
    return moment;
  }
}
