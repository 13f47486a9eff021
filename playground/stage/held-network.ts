import { type Letter, Network } from '../../verification/simulation/network.js';

/** A message that waits for the visitor. */
export interface Parcel {
  /** Counted from 1, in the order in which they were sent. */
  readonly number: number;
  readonly from: string;
  readonly to: string;
  /** Of the request; its reply counts as the same kind. */
  readonly kind: string;
  readonly text: string;
  readonly isReply: boolean;
  /** A second copy of one that arrived. */
  readonly isAgain: boolean;
}

interface HeldParcel extends Parcel {
  readonly letter: Letter;
}

/** Keeps every message until it is told what becomes of it. What the control node asks is answered at once, but for its copies of registers. */
export class HeldNetwork extends Network {
  readonly #isReachable: (node: string) => boolean;
  readonly #held = new Map<number, HeldParcel>();
  #sent = 0;

  /** @param isReachable whether a node is up, and not cut off */
  constructor(isReachable: (node: string) => boolean) {
    super();
    this.#isReachable = isReachable;
  }

  /** In the order in which they were sent. */
  get held(): readonly Parcel[] {
    return [...this.#held.values()];
  }

  /** Takes a message off the network. Throws a `RangeError` where there is none of that number. */
  take(number: number): { parcel: Parcel; arrive: () => void } {
    const held = this.#held.get(number);
    if (!held) throw new RangeError(`no message ${number} is under way`);
    this.#held.delete(number);
    return { parcel: held, arrive: held.letter.arrive };
  }

  /** Takes it, and leaves a copy of it on its way, which is the last one from then on. */
  takeCopy(number: number): { parcel: Parcel; arrive: () => void } {
    const held = this.#held.get(number);
    if (held?.letter.mayRepeat !== true) throw new RangeError(`message ${number} does not arrive twice`);
    this.#hold(held.letter, true);
    return this.take(number);
  }

  protected override send(letter: Letter): void {
    if (letter.kind !== '') this.#hold(letter, false);
    else if (this.#isReachable(letter.from) && this.#isReachable(letter.to)) letter.arrive();
    else letter.fail(new Error('connection refused'));
  }

  #hold(letter: Letter, isAgain: boolean): void {
    const number = (this.#sent += 1);
    const { from, to, kind } = letter;
    this.#held.set(number, { number, from, to, kind, text: letter.text(), isReply: from.startsWith('a'), isAgain, letter });
  }
}
