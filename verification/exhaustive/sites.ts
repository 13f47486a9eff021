import type { AcceptorStates, Delivered } from './acceptor-states.js';
import type { Violation } from '../checkers/history.js';
import type { AnyMessage, Numbered } from './messages.js';

/** What became of the request of a proposer's present phase to an acceptor: none was sent, it is under way, or the reply to it is. */
export type RequestState = number;

export const NOT_ASKED: RequestState = -1;
/** Of a collection that asks nothing more. */
export const NEVER_ASKED: RequestState = -2;

export function requestUnderWay(message: number): RequestState {
  return 2 * message;
}

function replyUnderWay(reply: number): RequestState {
  return 2 * reply + 1;
}

function replyIn(request: RequestState): number {
  return (request - 1) / 2;
}

function isUnderWay(request: RequestState): boolean {
  return request >= 0 && request % 2 === 0;
}

/** An acceptor, and the messages between it and the proposers. */
export interface Site {
  readonly number: number;
  readonly register: number;
  /** By proposer, and then by collection. */
  readonly requests: readonly RequestState[];
  /** Requests of phases that are over, which may still arrive. */
  readonly late: readonly number[];
  readonly computed: Computed;
}

/** What {@link Sites} found out about a site. */
interface Computed {
  steps?: readonly Step[];
  rest?: Rest;
  /** By proposer. */
  readonly ways: Map<number, readonly WaysToReply[]>;
  /** By proposer and request. */
  readonly afterPhase: Map<number, Site>[];
}

/** A request that arrives, and what the acceptor makes of it. */
export interface Delivery extends Delivered {
  readonly message: number;
  /** Whose present phase the request is of; undefined where that phase is over. */
  readonly proposer: number | undefined;
}

interface Step {
  readonly delivery: Delivery;
  readonly site: Site;
}

/** How an acceptor comes to the point where its reply to a proposer is under way. */
export interface Way {
  readonly site: Site;
  /** How many orders of requests lead there. */
  readonly orders: number;
  /** What is wrong with a step on the way. */
  readonly violation?: Violation;
}

/** The ways that end with the same reply. */
export interface WaysToReply {
  readonly reply: number;
  readonly ways: readonly Way[];
}

/** What an acceptor may hold once any of the requests that are still under way have arrived, and what may go wrong until then. */
export interface Rest {
  readonly registers: ReadonlySet<number>;
  readonly violation?: Violation;
}

/** What can happen at one acceptor, each once computed and then looked up. */
export class Sites {
  readonly #acceptors: AcceptorStates;
  readonly #messages: Numbered<AnyMessage>;
  readonly #proposers: number;
  readonly #sites = new Map<string, Site>();

  /** @param proposers how many there are: whoever else makes requests is a collection */
  constructor(acceptors: AcceptorStates, messages: Numbered<AnyMessage>, proposers: number) {
    this.#acceptors = acceptors;
    this.#messages = messages;
    this.#proposers = proposers;
  }

  /** @param sent requests of phases that are over */
  site(register: number, requests: readonly RequestState[], sent: readonly number[]): Site {
    const isErasable = requests.some((request, asker) => asker >= this.#proposers && request !== NEVER_ASKED);
    const late = sent.filter((message) => !this.#isSpent(register, message, isErasable));
    const key = `${register}:${requests.join()}:${late.join()}`;
    let site = this.#sites.get(key);
    if (!site) {
      const afterPhase = requests.map(() => new Map<number, Site>());
      site = { number: this.#sites.size, register, requests, late, computed: { ways: new Map(), afterPhase } };
      this.#sites.set(key, site);
    }
    return site;
  }

  /** What can come in between until the request of this proposer has arrived. */
  waysToReply(site: Site, proposer: number): readonly WaysToReply[] {
    const { ways } = site.computed;
    let toReply = ways.get(proposer);
    if (!toReply) ways.set(proposer, (toReply = this.#waysToReply(site, proposer)));
    return toReply;
  }

  #waysToReply(site: Site, proposer: number): readonly WaysToReply[] {
    const own = site.requests[proposer] ?? NOT_ASKED;
    if (!isUnderWay(own)) return [{ reply: replyIn(own), ways: [{ site, orders: 1 }] }];
    const byReply = new Map<number, Map<Site, Way>>();
    for (const step of this.#stepsFrom(site)) {
      for (const { reply, ways } of this.waysToReply(step.site, proposer)) {
        const ofReply = byReply.get(reply) ?? new Map<Site, Way>();
        byReply.set(reply, ofReply);
        for (const way of ways) {
          const known = ofReply.get(way.site);
          const violation = step.delivery.violation ?? way.violation ?? known?.violation;
          const orders = way.orders + (known?.orders ?? 0);
          ofReply.set(way.site, { site: way.site, orders, ...(violation ? { violation } : {}) });
        }
      }
    }
    return [...byReply].map(([reply, ways]) => ({ reply, ways: [...ways.values()] }));
  }

  /** One order of requests that leads from one site to the other; one in which something goes wrong, where there is one. */
  deliveriesBetween(site: Site, proposer: number, target: Site): readonly Delivery[] | undefined {
    if (site === target) return [];
    if (!isUnderWay(site.requests[proposer] ?? NOT_ASKED)) return undefined;
    const orders = this.#stepsFrom(site).flatMap((step) => {
      const others = this.deliveriesBetween(step.site, proposer, target);
      return others ? [[step.delivery, ...others]] : [];
    });
    return orders.find((deliveries) => deliveries.some(({ violation }) => violation)) ?? orders[0];
  }

  #stepsFrom(site: Site): readonly Step[] {
    if (site.computed.steps) return site.computed.steps;
    const steps: Step[] = [];
    for (const [proposer, request] of site.requests.entries()) {
      if (!isUnderWay(request)) continue;
      const message = request / 2;
      const delivered = this.#acceptors.deliver(site.register, message);
      const requests = site.requests.with(proposer, replyUnderWay(delivered.reply));
      steps.push({ delivery: { ...delivered, message, proposer }, site: this.site(delivered.register, requests, site.late) });
    }
    for (const message of site.late) {
      const delivered = this.#acceptors.deliver(site.register, message);
      // It would be lost by that, and stays where it is of use after a removal.
      if (delivered.register === site.register) continue;
      const others = site.late.filter((one) => one !== message);
      const delivery = { ...delivered, message, proposer: undefined };
      steps.push({ delivery, site: this.site(delivered.register, site.requests, others) });
    }
    return (site.computed.steps = steps);
  }

  /** A proposer's phase is over, and the next has begun: with this request, or with none to this acceptor. */
  afterPhase(site: Site, proposer: number, request: RequestState): Site {
    let next = site.computed.afterPhase[proposer]?.get(request);
    if (!next) {
      const own = site.requests[proposer] ?? NOT_ASKED;
      const late = isUnderWay(own) ? [...site.late, own / 2].sort((a, b) => a - b) : site.late;
      next = this.site(site.register, site.requests.with(proposer, request), late);
      site.computed.afterPhase[proposer]?.set(request, next);
    }
    return next;
  }

  restOf(site: Site): Rest {
    if (site.computed.rest) return site.computed.rest;
    const registers = new Set([site.register]);
    let violation: Violation | undefined;
    for (const { delivery, site: next } of this.#stepsFrom(site)) {
      const rest = this.restOf(next);
      for (const register of rest.registers) registers.add(register);
      violation ??= delivery.violation ?? rest.violation;
    }
    return (site.computed.rest = { registers, ...(violation ? { violation } : {}) });
  }

  /**
   * Whether a request that nobody waits for can be forgotten. Promises and accepted ballots only go up, so that one which is refused now, or
   * tells the acceptor nothing new, will change nothing at any later moment either. Where the register may be removed, that has to be so for an absent one, too,
   * under the present floor: it only goes up.
   */
  #isSpent(register: number, message: number, isErasable: boolean): boolean {
    const isWithout = (present: number): boolean => this.#acceptors.deliver(present, message).register === present;
    if (this.#messages.at(message).kind === 'read') return true;
    return isWithout(register) && (!isErasable || isWithout(this.#acceptors.withoutKey(register)));
  }
}
