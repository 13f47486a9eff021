import type { Flight, Parcel } from '../../verification/pictures/view.js';
import { type Letter, Network } from '../../verification/simulation/network.js';

/** Keeps every message until it is told what becomes of it. What the control node asks is answered at once, but for its copies of registers. */
export class HeldNetwork extends Network {
  /** All that were ever sent, in that order. */
  readonly flights: Flight[] = [];
  readonly #isReachable: (node: string) => boolean;
  readonly #now: () => number;
  readonly #letters = new Map<Parcel, Letter>();

  /**
   * @param isReachable whether a node is up, and not cut off
   * @param now the number of the present move
   */
  constructor(isReachable: (node: string) => boolean, now: () => number) {
    super();
    this.#isReachable = isReachable;
    this.#now = now;
  }

  /** In the order in which they were sent. */
  get held(): readonly Parcel[] {
    return [...this.#letters.keys()];
  }

  /** Takes a message off the network. Throws a `RangeError` where there is none of that number. */
  take(number: number, isLost: boolean): { parcel: Parcel; arrive: () => void } {
    const flight = this.flights[number - 1];
    const letter = flight && this.#letters.get(flight);
    if (!letter) throw new RangeError(`no message ${number} is under way`);
    this.#letters.delete(flight);
    Object.assign(flight, { endedAt: this.#now(), isLost });
    return { parcel: flight, arrive: letter.arrive };
  }

  /** Takes it, and leaves a copy of it on its way, which is the last one from then on. */
  takeCopy(number: number, isLost: boolean): { parcel: Parcel; arrive: () => void } {
    const flight = this.flights[number - 1];
    const letter = flight && this.#letters.get(flight);
    if (letter?.mayRepeat !== true) throw new RangeError(`message ${number} does not arrive twice`);
    this.#hold(letter, true);
    return this.take(number, isLost);
  }

  protected override send(letter: Letter): void {
    if (letter.kind !== '') this.#hold(letter, false);
    else if (this.#isReachable(letter.from) && this.#isReachable(letter.to)) letter.arrive();
    else letter.fail(new Error('connection refused'));
  }

  #hold(letter: Letter, isAgain: boolean): void {
    const { from, to, kind } = letter;
    const [text, isReply] = [letter.text(), from.startsWith('a')];
    const label = isReply ? (/^(promised|accepted|refused|holds)/.exec(text)?.[0] ?? 'answer') : kind;
    const flight = { number: this.flights.length + 1, from, to, kind, text, label, isReply, isAgain, sentAt: this.#now() };
    this.flights.push(flight);
    this.#letters.set(flight, letter);
  }
}
