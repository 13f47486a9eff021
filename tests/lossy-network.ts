import type { Acceptor } from '../src/protocol/acceptor.js';
import type { VirtualTime } from '../verification/simulation/virtual-time.js';

export interface LossyNetworkOptions {
  readonly time: VirtualTime;
  readonly random: () => number;
  /** From 0 to 1: how many of the requests, and again of the replies, never arrive. */
  readonly loss: number;
  /** From 0 to 1: how many of the requests arrive a second time. */
  readonly repeats: number;
  /** The longest that a message is on its way, in milliseconds; each takes a time of its own, so they overtake each other. */
  readonly delayMs: number;
}

/** The acceptor as a proposer sees it through a bad network: what is lost never settles. */
export function throughNetwork(acceptor: Acceptor, { time, random, loss, repeats, delayMs }: LossyNetworkOptions): Acceptor {
  const send = <Reply>(act: () => Promise<Reply>): Promise<Reply> =>
    new Promise((resolve) => {
      const deliver = (): void => {
        void act().then((reply) => {
          if (random() >= loss) time.after(random() * delayMs, () => resolve(reply));
        });
      };
      if (random() >= loss) time.after(random() * delayMs, deliver);
      if (random() < repeats) time.after(random() * delayMs * 4, deliver);
    });
  return {
    prepare: (key, ballot) => send(() => acceptor.prepare(key, ballot)),
    accept: (key, ballot, value, next) => send(() => acceptor.accept(key, ballot, value, next)),
    read: (key) => send(() => acceptor.read(key)),
  };
}
