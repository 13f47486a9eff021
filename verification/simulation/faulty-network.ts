import type { Random } from '../../client/random.js';
import { type Letter, Network } from './network.js';
import type { Trace } from './trace.js';
import type { VirtualTime } from './virtual-time.js';

/** How bad the network is. Shares are from 0 to 1, of all messages. */
export interface NetworkSettings {
  /** The longest that most messages are on their way, in milliseconds; each takes a time of its own, so they overtake each other. */
  readonly delayMs: number;
  /** How many are late, and by up to how much: long enough for several steps of a membership change. */
  readonly late: number;
  readonly lateMs: number;
  /** How many are lost; of these, how many with an error that the sender sees at once. */
  readonly loss: number;
  readonly resets: number;
  /** How many requests to acceptors arrive twice. */
  readonly duplication: number;
}

/** What is wrong with one direction of a link, by the kind of message; `''`: with all of them. */
interface Link {
  readonly cut: Set<string>;
  readonly slowness: Map<string, number>;
}

/** A network that loses, delays and repeats messages, as chance has it. */
export class FaultyNetwork extends Network {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #trace: Trace;
  /** By the names of the one that sends and of the one that receives: looked up for each message. */
  readonly #links = new Map<string, Map<string, Link>>();
  #settings: NetworkSettings;
  messages = 0;

  constructor(time: VirtualTime, random: Random, settings: NetworkSettings, trace: Trace) {
    super();
    this.#time = time;
    this.#random = random;
    this.#settings = settings;
    this.#trace = trace;
  }

  /** Cuts one direction of a link, or one kind of message on it alone; what is on its way still arrives. */
  cut(from: string, to: string, kind = ''): void {
    this.#link(from, to).cut.add(kind);
  }

  mend(from: string, to: string, kind = ''): void {
    this.#link(from, to).cut.delete(kind);
  }

  /** Makes every message in one direction of a link, or one kind of message on it alone, take so many times longer; 1 is normal. */
  slowDown(from: string, to: string, factor: number, kind = ''): void {
    this.#link(from, to).slowness.set(kind, factor);
  }

  /** From now on nothing is lost, late or repeated. What was sent before stays on its way. */
  heal(): void {
    this.#settings = { ...this.#settings, loss: 0, late: 0, duplication: 0 };
    this.#links.clear();
  }

  #link(from: string, to: string): Link {
    let links = this.#links.get(from);
    if (!links) this.#links.set(from, (links = new Map<string, Link>()));
    let link = links.get(to);
    if (!link) links.set(to, (link = { cut: new Set(), slowness: new Map() }));
    return link;
  }

  protected override send(letter: Letter): void {
    this.#transmit(letter);
    if (letter.mayRepeat && this.#random() < this.#settings.duplication)
      this.#transmit({ ...letter, text: () => `(again) ${letter.text()}` });
  }

  #transmit({ from, to, kind, about, text, arrive, fail }: Letter): void {
    const { delayMs, late, lateMs, loss, resets } = this.#settings;
    this.messages += 1;
    // Drawn for each message, lost or not: what one fault does must not shift the numbers of all others.
    const isLost = this.#random() < loss;
    const isReset = this.#random() < resets;
    const isLate = this.#random() < late;
    const share = this.#random();
    const link = this.#links.get(from)?.get(to);
    const slowness = link?.slowness.get(kind) ?? link?.slowness.get('') ?? 1;
    const afterMs = share * (isLate ? lateMs : delayMs * slowness);
    const sentAtMs = this.#time.nowMs();
    const trace = (remark: string, isGone = false): void =>
      this.#trace.message(
        { from, to, kind, sentAtMs, isLost: isGone },
        () => `${about === undefined ? '' : `${about}: `}${text()}${remark && ` (${remark})`}`,
      );
    if (isLost || link?.cut.has('') || link?.cut.has(kind)) {
      trace(isReset ? 'connection reset' : 'lost', true);
      if (isReset) this.#time.after(afterMs, () => fail(new Error('connection reset')));
      return;
    }
    this.#time.after(afterMs, () => {
      trace(isLate ? `sent at ${sentAtMs.toFixed(1)}` : '');
      arrive();
    });
  }
}
