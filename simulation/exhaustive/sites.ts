import type { AcceptorStates, Delivered } from './acceptor-states.js';
import type { Message, Numbered } from './messages.js';

/** What became of the request of a proposer's present phase to an acceptor: none was sent, it is under way, or the reply to it is. */
export type Request = number;

export const NOT_ASKED: Request = -1;

export function requestUnderWay(message: number): Request {
  return 2 * message;
}

function replyUnderWay(reply: number): Request {
  return 2 * reply + 1;
}

function replyIn({ requests }: Site, proposer: number): number {
  return ((requests[proposer] ?? NOT_ASKED) - 1) / 2;
}

function isUnderWay(request: Request): boolean {
  return request >= 0 && request % 2 === 0;
}

/** An acceptor, and the messages between it and the proposers. */
export interface Site {
  readonly number: number;
  readonly register: number;
  /** By proposer. */
  readonly requests: readonly Request[];
  /** Requests of phases that are over, which may still arrive. */
  readonly late: readonly number[];
  /** What was computed of it, see {@link Sites}: by proposer; and by proposer and request. */
  readonly ways: Map<number, readonly WaysToReply[]>;
  readonly next: Map<number, Site>[];
}

/** A request that arrives, and what the acceptor makes of it. */
export interface Delivery extends Delivered {
  readonly message: number;
  /** Whose present phase the request is of; undefined where that phase is over. */
  readonly proposer: number | undefined;
}

/** How an acceptor comes to the point where its reply to a proposer is under way. */
export interface Way {
  readonly site: Site;
  /** One order of requests that leads there, and how many others there are, itself counted. */
  readonly deliveries: readonly Delivery[];
  readonly orders: number;
}

/** The ways that end with the same reply. */
export interface WaysToReply {
  readonly reply: number;
  readonly ways: readonly Way[];
}

/** What can happen at one acceptor, each once computed and then looked up. */
export class Sites {
  readonly #acceptors: AcceptorStates;
  readonly #messages: Numbered<Message>;
  readonly #sites = new Map<string, Site>();

  constructor(acceptors: AcceptorStates, messages: Numbered<Message>) {
    this.#acceptors = acceptors;
    this.#messages = messages;
  }

  /** @param sent requests of phases that are over */
  site(register: number, requests: readonly Request[], sent: readonly number[]): Site {
    const late = sent.filter((message) => !this.#isSpent(register, message));
    const key = `${register}:${requests.join()}:${late.join()}`;
    let site = this.#sites.get(key);
    if (!site) {
      const next = requests.map(() => new Map<number, Site>());
      site = { number: this.#sites.size, register, requests, late, ways: new Map(), next };
      this.#sites.set(key, site);
    }
    return site;
  }

  /** What can come in between until the request of this proposer has arrived. */
  waysToReply(site: Site, proposer: number): readonly WaysToReply[] {
    let ways = site.ways.get(proposer);
    if (!ways) {
      const byEnd = new Map<Site, Way>();
      this.#collect(byEnd, site, proposer, []);
      const byReply = new Map<number, Way[]>();
      for (const way of byEnd.values()) {
        const reply = replyIn(way.site, proposer);
        byReply.set(reply, [...(byReply.get(reply) ?? []), way]);
      }
      ways = [...byReply].map(([reply, ofReply]) => ({ reply, ways: ofReply }));
      site.ways.set(proposer, ways);
    }
    return ways;
  }

  #collect(byEnd: Map<Site, Way>, site: Site, proposer: number, deliveries: readonly Delivery[]): void {
    if (!isUnderWay(site.requests[proposer] ?? NOT_ASKED)) {
      const known = byEnd.get(site);
      byEnd.set(site, known ? { ...known, orders: known.orders + 1 } : { site, deliveries, orders: 1 });
      return;
    }
    for (const [other, request] of site.requests.entries()) {
      if (!isUnderWay(request)) continue;
      const message = request / 2;
      const delivered = this.#acceptors.deliver(site.register, message);
      const next = this.site(delivered.register, site.requests.with(other, replyUnderWay(delivered.reply)), site.late);
      this.#collect(byEnd, next, proposer, [...deliveries, { ...delivered, message, proposer: other }]);
    }
    for (const message of site.late) {
      const delivered = this.#acceptors.deliver(site.register, message);
      const next = this.site(
        delivered.register,
        site.requests,
        site.late.filter((one) => one !== message),
      );
      this.#collect(byEnd, next, proposer, [...deliveries, { ...delivered, message, proposer: undefined }]);
    }
  }

  /** A proposer's phase is over, and the next has begun: with this request, or with none to this acceptor. */
  afterPhase(site: Site, proposer: number, request: Request): Site {
    let next = site.next[proposer]?.get(request);
    if (!next) {
      const own = site.requests[proposer] ?? NOT_ASKED;
      const late = isUnderWay(own) ? [...site.late, own / 2].sort((a, b) => a - b) : site.late;
      next = this.site(site.register, site.requests.with(proposer, request), late);
      site.next[proposer]?.set(request, next);
    }
    return next;
  }

  /** What an acceptor may hold once any of the requests of phases that are over have arrived. */
  registersAfter({ register, late }: Pick<Site, 'register' | 'late'>): Set<number> {
    const found = new Set([register]);
    for (const message of late) {
      if (this.#isSpent(register, message)) continue;
      const delivered = this.#acceptors.deliver(register, message);
      const others = late.filter((one) => one !== message);
      for (const after of this.registersAfter({ register: delivered.register, late: others })) found.add(after);
    }
    return found;
  }

  /**
   * Whether a request that nobody waits for can be forgotten. Promises and accepted ballots only go up, so that one which is refused now, or
   * tells the acceptor nothing new, will change nothing at any later moment either.
   */
  #isSpent(register: number, message: number): boolean {
    return this.#messages.at(message).kind === 'read' || this.#acceptors.deliver(register, message).register === register;
  }
}
