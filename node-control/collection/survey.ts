import { compareBallots, ZERO_BALLOT } from '../../src/protocol/ballot.js';
import type { AcceptorAdmin, Remains, Tombstone } from '../../src/redis/acceptor-admin.js';
import type { Nodes } from '../nodes/nodes.js';
import { ControlError, reasonOf } from '../safety/objection.js';

const BY_HAND = ': see "Somebody wrote to an acceptor by hand" in docs/operations.md. Nothing more was removed';

/** Keys in one message to an acceptor, which copies their registers, of some 64 KB at most each, to look at them. */
export const KEYS_AT_ONCE = 100;

/** What is to become of a key, by what all acceptors hold of it. */
export type Finding =
  /** A tombstone, or no value, under the same ballot of this era on every acceptor; or nothing but promises. */
  | { readonly kind: 'collectable'; readonly tombstone: Tombstone }
  /** So it is under the highest ballot, which some acceptors do not have, or which is of an earlier era. */
  | { readonly kind: 'differing' }
  | { readonly kind: 'in use' | 'absent' };

/**
 * A ballot of an earlier era may have been brought to all acceptors by copying, which does not prove it chosen: a round that it does not know of may
 * have been begun above it, whose accept is yet to arrive.
 *
 * @param held what each acceptor holds of one key
 * @param era of the configuration
 */
export function findingOn(held: readonly (Remains | undefined)[], era: number): Finding {
  const present = held.filter((remains) => remains !== undefined);
  const [first, ...others] = present;
  if (!first) return { kind: 'absent' };
  const top = others.reduce((a, b) => (compareBallots(b.ballot, a.ballot) > 0 ? b : a), first);
  if (top.version === undefined) return { kind: 'in use' };
  const isNowhereAccepted = compareBallots(top.ballot, ZERO_BALLOT) === 0;
  const isOnAll = present.length === held.length && present.every(({ ballot }) => compareBallots(ballot, top.ballot) === 0);
  const isProven = isOnAll && top.ballot.era >= era;
  return isNowhereAccepted || isProven ? { kind: 'collectable', tombstone: { ...top, version: top.version } } : { kind: 'differing' };
}

/** Looks at the registers of all acceptors of a cluster, some at a time. Its methods throw a {@link ControlError} if an acceptor stops answering. */
export class Survey {
  readonly #nodes: Nodes;
  readonly #identities: Readonly<Record<string, string>>;
  readonly #era: number;

  /**
   * @param identities of the acceptors, by name
   * @param era of the configuration that lists them
   */
  constructor(nodes: Nodes, identities: Readonly<Record<string, string>>, era: number) {
    this.#nodes = nodes;
    this.#identities = identities;
    this.#era = era;
  }

  get acceptors(): string[] {
    return Object.keys(this.#identities);
  }

  /** About how many registers {@link list} will look at. */
  async size(): Promise<number> {
    const sizes = await this.onAll((admin) => admin.size());
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /**
   * Goes through the registers of every acceptor, and hands on the findings on those keys of which it holds no value. A key may come more than once.
   *
   * @param take returns false to end it
   * @param onKeys is told of each number of keys that were looked at
   */
  async list(take: (findings: ReadonlyMap<string, Finding>) => boolean, onKeys: (count: number) => void): Promise<void> {
    for (const name of this.acceptors) {
      const isGoingOn = await this.#on(name, async (admin) => {
        for await (const page of admin.keys()) {
          for (const keys of inParts(page, KEYS_AT_ONCE)) {
            const remains = await admin.remains(keys);
            onKeys(keys.length);
            const candidates = keys.filter((_, index) => remains[index]?.version !== undefined);
            if (candidates.length > 0 && !take(await this.lookAt(candidates))) return false;
          }
        }
        return true;
      });
      if (!isGoingOn) return;
    }
  }

  async lookAt(keys: readonly string[]): Promise<Map<string, Finding>> {
    const findings = new Map<string, Finding>();
    for (const part of inParts(keys, KEYS_AT_ONCE)) {
      const held = await this.onAll((admin) => admin.remains(part));
      for (const [index, key] of part.entries()) {
        const ofKey = held.map((remains) => remains[index]);
        findings.set(key, findingOn(ofKey, this.#era));
      }
    }
    return findings;
  }

  /** Does the same at every acceptor at once. */
  onAll<Result>(task: (admin: AcceptorAdmin) => Promise<Result>): Promise<Result[]> {
    return Promise.all(this.acceptors.map((name) => this.#on(name, task)));
  }

  /** Another acceptor at the same address, or one that lost its data, is none of the cluster's. */
  async #on<Result>(name: string, task: (admin: AcceptorAdmin) => Promise<Result>): Promise<Result> {
    try {
      return await this.#nodes.withAcceptor(name, async (admin) => {
        const result = await task(admin);
        // Asked afterwards: it then was this acceptor all the time, for a wipe takes its identity away, and this connection.
        if ((await admin.identity()) !== this.#identities[name]) throw new Error('it lost its data or is another acceptor');
        return result;
      });
    } catch (error) {
      if (error instanceof ControlError) throw error;
      const reason = reasonOf(error);
      if (reason.startsWith('WRONGTYPE '))
        throw new ControlError(`${name} holds something that is no register among its registers${BY_HAND}`);
      throw new ControlError(`${name} stopped answering (${reason}). Start it, look at the status, and run the command again`);
    }
  }
}

export function inParts<Item>(items: readonly Item[], length: number): Item[][] {
  const parts: Item[][] = [];
  for (let at = 0; at < items.length; at += length) parts.push(items.slice(at, at + length));
  return parts;
}
