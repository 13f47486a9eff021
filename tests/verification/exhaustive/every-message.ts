import { MemoryAcceptor } from '../../../src/protocol/memory-acceptor.js';
import { KEY } from '../../../verification/exhaustive/key.js';
import type { Performed } from '../../../verification/exhaustive/client.js';
import { type Input, ProposerRun } from '../../../verification/exhaustive/proposer-run.js';
import { acceptorNames, type Scenario } from '../../../verification/exhaustive/scenario.js';
import { deliver, type Message, type Reply } from '../../../verification/simulation/acceptor-message.js';
import { toldIn } from '../../../verification/exhaustive/world.js';

/** Where all operations are over: what each client was told, in which order, and what the acceptors hold. */
export interface End {
  readonly outcomes: string;
  readonly registers: readonly string[];
  /** By operation: how many operations of each client had told something before it began. */
  readonly after: readonly (readonly number[])[];
}

/** A message that was sent: by which proposer, in which of its phases, to which acceptor. */
interface Sent {
  readonly proposer: number;
  readonly phase: number;
  readonly acceptor: number;
}

interface Moment {
  readonly inputs: readonly (readonly Input[])[];
  readonly registers: readonly string[];
  readonly replies: ReadonlyMap<string, Reply>;
  readonly heard: ReadonlySet<string>;
  readonly invoked: readonly (readonly (readonly number[])[])[];
  readonly lossesLeft: number;
}

interface View {
  readonly phases: readonly { readonly message: Message; readonly acceptors: readonly string[]; readonly operation: number }[];
  readonly asking: boolean;
  readonly performed: readonly Performed[];
}

/** A number for each text: moments share most of what they consist of, and are many. */
class Numbers {
  readonly #ofTexts = new Map<string, number>();
  readonly #ofObjects = new WeakMap<object, number>();

  ofText(text: string): number {
    const number = this.#ofTexts.get(text) ?? this.#ofTexts.size;
    this.#ofTexts.set(text, number);
    return number;
  }

  /** @param textOf the same for what is equal; asked once for each object */
  of<Part extends object>(part: Part, textOf: (part: Part) => string = JSON.stringify): number {
    const number = this.#ofObjects.get(part) ?? this.ofText(textOf(part));
    this.#ofObjects.set(part, number);
    return number;
  }
}

const nameOf = ({ proposer, phase, acceptor }: Sent): string => `${proposer} ${phase} ${acceptor}`;

/**
 * The search that the explorer must agree with, without any of its reductions: each request, each reply (also one that comes too late) and each
 * timeout is a step of its own, acceptors keep their names, and a proposer's state is all that it heard, in order.
 */
export class EveryMessage {
  readonly ends = new Map<string, End>();
  moments = 0;
  readonly #scenario: Scenario;
  readonly #names: readonly string[];
  readonly #views = new Map<string, View>();
  readonly #numbers = new Numbers();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#names = acceptorNames(scenario);
  }

  async run(): Promise<this> {
    const first: Moment = {
      inputs: this.#scenario.scripts.map(() => []),
      registers: this.#names.map(() => ''),
      replies: new Map(),
      heard: new Set(),
      invoked: this.#scenario.scripts.map(() => []),
      lossesLeft: this.#scenario.losses,
    };
    const seen = new Set([this.#keyOf(first)]);
    const queue = [first];
    for (let moment = queue.pop(); moment; moment = queue.pop()) {
      this.moments += 1;
      for (const next of await this.#nextOf(moment)) {
        const key = this.#keyOf(next);
        if (seen.has(key)) continue;
        seen.add(key);
        queue.push(next);
      }
    }
    return this;
  }

  async #nextOf(moment: Moment): Promise<Moment[]> {
    const next: Moment[] = [];
    const views: View[] = [];
    for (const [proposer, inputs] of moment.inputs.entries()) views.push(await this.#viewOf(proposer, inputs));
    if (views.every(({ performed }, proposer) => this.#isOver(proposer, performed))) this.#record(moment, views);
    for (const [proposer, { phases, asking }] of views.entries()) {
      const heardOf = (phase: number): number =>
        this.#names.filter((_, acceptor) => moment.heard.has(nameOf({ proposer, phase, acceptor }))).length;
      for (const [phase, { message, acceptors }] of phases.entries()) {
        for (const name of acceptors) {
          const sent = { proposer, phase, acceptor: this.#names.indexOf(name) };
          if (!moment.replies.has(nameOf(sent))) next.push(await this.#deliver(moment, views, sent, message));
          else if (!moment.heard.has(nameOf(sent))) next.push(this.#hear(moment, sent));
        }
      }
      const missing = (phases.at(-1)?.acceptors.length ?? 0) - heardOf(phases.length - 1);
      if (!asking || missing === 0 || missing > moment.lossesLeft) continue;
      const began = begin(moment.invoked, views, proposer, views[proposer]?.performed.length ?? 0);
      const inputs = moment.inputs.with(proposer, [...(moment.inputs[proposer] ?? []), { kind: 'timeout' }]);
      next.push({ ...moment, inputs, invoked: began, lossesLeft: moment.lossesLeft - missing });
    }
    return next;
  }

  async #deliver(moment: Moment, views: readonly View[], sent: Sent, message: Message): Promise<Moment> {
    const acceptor = new MemoryAcceptor();
    const text = moment.registers[sent.acceptor];
    if (text) acceptor.registers.set(KEY, JSON.parse(text) as never);
    const reply = await deliver(message, acceptor);
    const register = acceptor.registers.get(KEY);
    const registers = moment.registers.with(sent.acceptor, register ? JSON.stringify(register) : '');
    const operation = views[sent.proposer]?.phases[sent.phase]?.operation ?? 0;
    const invoked = begin(moment.invoked, views, sent.proposer, operation);
    return { ...moment, registers, replies: new Map([...moment.replies, [nameOf(sent), reply]]), invoked };
  }

  #hear(moment: Moment, sent: Sent): Moment {
    const reply = moment.replies.get(nameOf(sent));
    if (!reply) throw new RangeError('no such reply');
    const input: Input = { kind: 'reply', phase: sent.phase, acceptor: this.#names[sent.acceptor] ?? '', reply };
    const inputs = moment.inputs.with(sent.proposer, [...(moment.inputs[sent.proposer] ?? []), input]);
    return { ...moment, inputs, heard: new Set([...moment.heard, nameOf(sent)]) };
  }

  async #viewOf(proposer: number, inputs: readonly Input[]): Promise<View> {
    const key = `${proposer} ${this.#numbers.of(inputs)}`;
    const known = this.#views.get(key);
    if (known) return known;
    const { configuration, resolutions, scripts } = this.#scenario;
    const run = new ProposerRun({
      id: proposer + 1,
      client: proposer + 1,
      configuration,
      script: scripts[proposer] ?? [],
      resolutions,
      changes: 0,
    });
    const operations: number[] = [];
    const note = (): void => {
      while (operations.length < run.phases.length) operations.push(run.performed.length);
    };
    await run.begin();
    note();
    for (const input of inputs) {
      await run.apply(input);
      note();
    }
    const phases = run.phases.map(({ message, acceptors }, index) => ({ message, acceptors, operation: operations[index] ?? 0 }));
    const view = { phases, asking: run.asking !== undefined, performed: [...run.performed] };
    this.#views.set(key, view);
    return view;
  }

  #keyOf({ inputs, registers, replies, heard, invoked, lossesLeft }: Moment): string {
    const numbers = this.#numbers;
    const ofInputs = inputs.map((of) => numbers.of(of));
    const ofRegisters = registers.map((text) => numbers.ofText(text));
    const sorted = (parts: Iterable<unknown>): string => JSON.stringify([...parts].sort());
    return [...ofInputs, ...ofRegisters, numbers.of(replies, sorted), numbers.of(heard, sorted), numbers.of(invoked), lossesLeft].join();
  }

  #isOver(proposer: number, performed: readonly Performed[]): boolean {
    return performed.length === this.#scenario.scripts[proposer]?.length && performed.every(({ outcome }) => outcome);
  }

  #record({ registers, invoked }: Moment, views: readonly View[]): void {
    const end = { outcomes: JSON.stringify(views.map(({ performed }) => performed)), registers, after: invoked.flat() };
    this.ends.set(JSON.stringify(end), end);
  }
}

/** Marks an operation as begun, where it was not. */
function begin(invoked: Moment['invoked'], views: readonly View[], proposer: number, operation: number): Moment['invoked'] {
  const begun = invoked[proposer] ?? [];
  return begun.length >= operation ? invoked : invoked.with(proposer, [...begun, toldIn(views)]);
}
