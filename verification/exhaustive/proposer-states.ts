import type { Configuration } from '../../src/protocol/configuration.js';
import { Computed } from './computed.js';
import type { Reply } from '../simulation/acceptor-message.js';
import { KEY } from './key.js';
import type { AnyMessage, AnyReply, Numbered } from './messages.js';
import type { Performed } from './client.js';
import { type Input, type AskedPhase, ProposerRun, type ProposerRunOptions } from './proposer-run.js';
import { ViolationFound } from './violation-found.js';

/** A proposer and its client between two moments at which something it heard makes it speak. */
export interface ProposerMoment {
  readonly number: number;
  /** One way to come here. */
  readonly inputs: readonly Input[];
  /** What it waits for replies to, and from whom, by their places. */
  readonly asking?: { readonly message: number; readonly acceptors: readonly number[] };
  /** An operation waits to be started. */
  readonly canStart: boolean;
  readonly isOver: boolean;
  readonly performed: readonly Performed[];
  readonly configuration: Configuration;
  /** A change of configuration waits for the round to end. */
  readonly isChanging: boolean;
}

/** Replies by the places of the acceptors. */
export type Answers = readonly (readonly [acceptor: number, reply: number])[];

/** What becomes of a phase that heard these replies and no others. */
export interface Consequence {
  /** The last of them decided it, in some order. Several states only where the code cares for the order. */
  readonly decided: readonly ProposerMoment[];
  /** They decide nothing, and then its time is up. */
  readonly timedOut: readonly ProposerMoment[];
}

interface Places {
  readonly acceptorNames: readonly string[];
  readonly alike: readonly (readonly number[])[];
}

/**
 * One proposer as an automaton: a deterministic function of what it hears, so that every state is computed once, by running the product's code
 * from its start through the inputs that lead there.
 *
 * Two ways that lead to the same future are one state. That they do is not derived from the code but observed: see `lastWords`.
 */
export class ProposerStates {
  readonly #options: ProposerRunOptions;
  readonly #messages: Numbered<AnyMessage>;
  readonly #replies: Numbered<AnyReply>;
  readonly #places: Places;
  readonly #states = new Map<string, ProposerMoment>();
  readonly #consequences = new Computed<string, Consequence>();
  readonly #next = new Computed<string, ProposerMoment>();

  constructor(options: ProposerRunOptions, messages: Numbered<AnyMessage>, replies: Numbered<AnyReply>, places: Places) {
    this.#options = options;
    this.#messages = messages;
    this.#replies = replies;
    this.#places = places;
  }

  get size(): number {
    return this.#states.size;
  }

  initial(): Promise<ProposerMoment> {
    return this.#stateAfter([]);
  }

  /** @param what an operation begins, or this change of configuration arrives */
  after(state: ProposerMoment, what: 'start' | Configuration): ProposerMoment {
    const input: Input = what === 'start' ? { kind: 'start' } : { kind: 'configure', configuration: what };
    const configuration = what === 'start' ? '' : JSON.stringify(what);
    return this.#next.get(`${state.number} ${input.kind} ${configuration}`, () => this.#stateAfter([...state.inputs, input]));
  }

  hear(state: ProposerMoment, answers: Answers): Consequence {
    // Which of several acceptors that are alike said what makes no difference.
    const replies = this.#places.alike.map((group) => {
      const ofGroup: number[] = [];
      for (const [acceptor, reply] of answers) if (group.includes(acceptor)) ofGroup.push(reply);
      return ofGroup.sort((a, b) => a - b);
    });
    return this.#consequences.get(`${state.number} ${replies.join(' ')}`, () => this.#consequenceOf(state, replies));
  }

  async #consequenceOf({ inputs }: ProposerMoment, replies: readonly (readonly number[])[]): Promise<Consequence> {
    const heard = replies.flatMap((ofGroup, group) =>
      ofGroup.map((reply, index): Input => {
        const acceptor = this.#places.acceptorNames[this.#places.alike[group]?.[index] ?? 0] ?? '';
        return { kind: 'reply', acceptor, reply: this.#replies.at(reply) as Reply };
      }),
    );
    const decided = new Map<number, ProposerMoment>();
    const timedOut = new Map<number, ProposerMoment>();
    for (const order of ordersOf(heard)) {
      const run = await this.#replay(inputs);
      const asked = run.asking;
      const unused = [...order];
      for (let reply = unused.shift(); reply; reply = run.asking === asked ? unused.shift() : undefined) await run.apply(reply);
      if (unused.length > 0) continue;
      const isDecided = run.asking !== asked;
      if (!isDecided) await run.apply({ kind: 'timeout' });
      const after: Input[] = [...inputs, ...order];
      const next = await this.#stateOf(run, isDecided ? after : [...after, { kind: 'timeout' }]);
      (isDecided ? decided : timedOut).set(next.number, next);
    }
    return { decided: [...decided.values()], timedOut: [...timedOut.values()] };
  }

  async #stateAfter(inputs: readonly Input[]): Promise<ProposerMoment> {
    return this.#stateOf(await this.#replay(inputs), inputs);
  }

  /** @param run that has come to the end of these inputs; it is used up */
  async #stateOf(run: ProposerRun, inputs: readonly Input[]): Promise<ProposerMoment> {
    const asking = this.#asked(run.asking);
    const performed = [...run.performed];
    const { configuration, configured } = run;
    const lastWords = await lastWordsOf(run);
    const known = this.#states.get(lastWords);
    if (known) return known;
    await this.#assertDeaf(inputs, lastWords);
    const isIdle = performed.every(({ outcome }) => outcome);
    const isOver = isIdle && performed.length === this.#options.script.length;
    const state: ProposerMoment = {
      number: this.#states.size,
      inputs,
      ...(asking ? { asking } : {}),
      canStart: isIdle && !isOver,
      isOver,
      performed,
      configuration,
      isChanging: inputs.filter(({ kind }) => kind === 'configure').length > configured,
    };
    this.#states.set(lastWords, state);
    return state;
  }

  #asked(phase: AskedPhase | undefined): ProposerMoment['asking'] {
    if (!phase) return undefined;
    const acceptors = phase.acceptors.map((name) => this.#places.acceptorNames.indexOf(name));
    return { message: this.#messages.numberOf(phase.message), acceptors };
  }

  /** Rule 5: what arrives after the end of a phase changes nothing, whatever it says. So no such reply needs to be a step of its own. */
  async #assertDeaf(inputs: readonly Input[], lastWords: string): Promise<void> {
    for (const isYes of [true, false]) {
      const run = await this.#replay(inputs);
      const far = { era: run.configuration.era, counter: 1_000, proposer: 99, incarnation: 1 };
      const value = JSON.stringify({ ver: 99, val: 'late', ops: ['late'] });
      await run.replyLate(({ kind }) => (kind === 'read' || isYes ? { ok: true, ballot: far, value } : { ok: false, conflict: far }));
      if ((await lastWordsOf(run)) !== lastWords) {
        const message = 'a reply that came after the end of its phase changed what a proposer does';
        throw new ViolationFound({ rule: 'late replies are ignored', key: KEY, message });
      }
    }
  }

  async #replay(inputs: readonly Input[]): Promise<ProposerRun> {
    const run = new ProposerRun(this.#options);
    await run.begin();
    for (const input of inputs) await run.apply(input);
    return run;
  }
}

/** The configuration in force now, and what comes of it: also a change that waits. */
async function lastWordsOf(run: ProposerRun): Promise<string> {
  const { configuration } = run;
  return JSON.stringify([configuration, await run.lastWords()]);
}

/** Each order once: of replies that say the same, which comes first makes no difference. */
function ordersOf(replies: readonly Input[]): Input[][] {
  if (replies.length < 2) return [[...replies]];
  const firsts = new Map(replies.map((reply) => [textOf(reply), reply]));
  return [...firsts.values()].flatMap((first) => ordersOf(replies.filter((reply) => reply !== first)).map((rest) => [first, ...rest]));
}

function textOf(input: Input): string {
  return input.kind === 'reply' ? JSON.stringify(input.reply) : input.kind;
}
