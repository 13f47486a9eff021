import type { Random } from '../../client/random.js';
import type { Process } from './process.js';
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

export interface Call<Reply> {
  readonly caller: Process;
  readonly from: string;
  readonly to: string;
  /** What the receiver does when the request arrives. */
  readonly act: () => Promise<Reply>;
  /** What kind of request it is, where one kind can be cut alone. */
  readonly kind?: string;
  /** For the trace. */
  readonly request: () => string;
  readonly reply: (reply: Reply) => string;
  /** Whether the request may arrive a second time. */
  readonly mayRepeat?: boolean;
}

/** Carries requests and replies between nodes, by name. What is lost in silence never settles: the caller has to have a time-out. */
export class Network {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #cut = new Set<string>();
  readonly #slowness = new Map<string, number>();
  #settings: NetworkSettings;
  messages = 0;

  constructor(time: VirtualTime, random: Random, settings: NetworkSettings, trace: Trace) {
    this.#time = time;
    this.#random = random;
    this.#settings = settings;
    this.#trace = trace;
  }

  /** Cuts one direction of a link, or one kind of request on it alone; what is on its way still arrives. */
  cut(from: string, to: string, kind = ''): void {
    this.#cut.add(`${from} ${to} ${kind}`);
  }

  mend(from: string, to: string, kind = ''): void {
    this.#cut.delete(`${from} ${to} ${kind}`);
  }

  /** Makes every message in one direction of a link take so many times longer; 1 is normal. */
  slowDown(from: string, to: string, factor: number): void {
    this.#slowness.set(`${from} ${to}`, factor);
  }

  /** From now on nothing is lost, late or repeated. What was sent before stays on its way. */
  heal(): void {
    this.#settings = { ...this.#settings, loss: 0, late: 0, duplication: 0 };
    this.#cut.clear();
    this.#slowness.clear();
  }

  call<Reply>({ caller, from, to, act, kind = '', request, reply, mayRepeat = false }: Call<Reply>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        if (caller.alive) reject(error instanceof Error ? error : new Error(String(error)));
      };
      const succeed = (answer: Reply): void => {
        if (caller.alive) resolve(answer);
      };
      const deliver = (): void => {
        act().then(
          (answer) =>
            this.#send(
              to,
              from,
              () => reply(answer),
              () => succeed(answer),
              fail,
            ),
          (error: unknown) =>
            this.#send(
              to,
              from,
              () => `error: ${String(error)}`,
              () => fail(error),
              fail,
            ),
        );
      };
      this.#send(from, to, request, deliver, fail, kind);
      if (mayRepeat && this.#random() < this.#settings.duplication) this.#send(from, to, () => `(again) ${request()}`, deliver, fail, kind);
    });
  }

  #send(from: string, to: string, text: () => string, deliver: () => void, fail: (error: Error) => void, kind = ''): void {
    const { delayMs, late, lateMs, loss, resets } = this.#settings;
    this.messages += 1;
    // Drawn for each message, lost or not: what one fault does must not shift the numbers of all others.
    const [isLost, isReset, isLate, share] = [this.#random() < loss, this.#random() < resets, this.#random() < late, this.#random()];
    const slowness = this.#slowness.get(`${from} ${to}`) ?? 1;
    const afterMs = share * (isLate ? lateMs : delayMs * slowness);
    if (isLost || this.#cut.has(`${from} ${to} `) || this.#cut.has(`${from} ${to} ${kind}`)) {
      this.#trace.message(from, to, () => `${text()} ${isReset ? '(connection reset)' : '(lost)'}`);
      if (isReset) this.#time.after(afterMs, () => fail(new Error('connection reset')));
      return;
    }
    const sentMs = this.#time.nowMs();
    this.#time.after(afterMs, () => {
      this.#trace.message(from, to, () => (isLate ? `${text()} (sent at ${sentMs.toFixed(1)})` : text()));
      deliver();
    });
  }
}
