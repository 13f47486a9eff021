import type { Floor } from '../protocol/acceptor.js';
import type { Ballot } from '../protocol/ballot.js';
import type { Acquaintance, Fitness } from './fitness.js';
import type { Holding } from './holding.js';

/** What a collection has to know of a register. */
export interface Remains {
  readonly key: string;
  /** The accepted ballot; `ZERO_BALLOT` if it holds nothing but a promise. */
  readonly ballot: Ballot;
  /** Of its tombstone; 0 if it holds no value at all. Undefined: it holds a value that was not deleted. */
  readonly version: number | undefined;
}

/** A register that may be removed, if it is still the same one. */
export interface Tombstone extends Remains {
  readonly version: number;
}

/** What an acceptor has accepted for a key, to be copied to another one to the letter. */
export interface Copied {
  readonly key: string;
  /** As `formatBallot` writes it. */
  readonly ballot: string;
  readonly value: string | null;
}

/**
 * For the control node: what an acceptor holds as a whole. Every method rejects if the acceptor cannot be reached, and for good once the
 * connection was lost: what was looked at over one connection is not acted on over another.
 */
export interface AcceptorAdmin {
  connect(): Promise<void>;

  /** Whether it would keep what it is told. One that is no server has no settings that could be wrong. */
  fitness?(known: Acquaintance): Promise<Fitness>;

  /** The keys of all registers, also of those that hold nothing but a promise. A key may come more than once. */
  keys(): AsyncGenerator<string[]>;

  /** The number of registers; none: the acceptor promised nothing and accepted nothing. */
  size(): Promise<number>;

  /** The highest era in any ballot that the acceptor has seen, and of its floor; 0 if there is none. Reads every register. */
  highestEra(): Promise<number>;

  /**
   * Who the acceptor is; undefined if it never joined a cluster, or has forgotten. One that has forgotten in part, or is put together of
   * several, is nobody's: all that its parts say, with bars between.
   */
  identity(): Promise<string | undefined>;

  /**
   * The highest era that each proposer said it had, by its number (see `Greeting`); undefined if this user may not know. One that nobody greets knows of
   * none, and has no such method.
   */
  eras?(): Promise<ReadonlyMap<number, number> | undefined>;

  /**
   * Gives the acceptor an identity if it has none. Returns the one that it has then. It forgets the eras that it was told: proposers that it is
   * new to may begin at a lower one.
   *
   * Closes all other connections first. A wipe that looked at the acceptor before, when nobody used it, may be on its way, for the identity that
   * it has now: over a connection that is closed it never arrives. Of two that do this at once one is cut off.
   */
  adopt(identity: string): Promise<string>;

  /**
   * Removes all data, the identity with it. Returns how many registers there were.
   *
   * Closes all other connections first. A wipe that got no answer in time, and was repeated, may still be on its way when the acceptor has
   * joined again: over a connection that is closed it never arrives. Nor does a late accept of a proposer that no longer lists it.
   *
   * @param whose the identity that was looked at; if it has another one by now nothing is removed, and the wipe rejects
   */
  wipe(whose?: { readonly identity: string | undefined }): Promise<number>;

  /** The highest floor that it has, in both parts; zeros if it has none. */
  floor(): Promise<Floor>;

  /** Raises the floor, for all registers, to this one in each part that is lower. It is on the disk then. */
  raiseFloor(floor: Floor): Promise<void>;

  /** What is left of the registers of these keys, in their order; undefined for one that is absent. @param keys at most 100 */
  remains(keys: readonly string[]): Promise<(Remains | undefined)[]>;

  /**
   * Removes registers (paper, section 3.1): each only if its accepted ballot is still that of the tombstone, its promise is of an era below `era`, and the
   * floor is at least of `era` and of the tombstone's version. So it may come late, and more than once.
   *
   * @param era of the floor that every acceptor was given before
   * @param tombstones at most 100
   * @returns how many were removed
   */
  erase(era: number, tombstones: readonly Tombstone[]): Promise<number>;

  /** How much the registers of these keys hold, in their order. @param keys at most 1,000 */
  holdings(keys: readonly string[]): Promise<Holding[]>;

  /** What was accepted for these keys, in their order; undefined for a register that is absent. @param keys at most 1,000 */
  accepted(keys: readonly string[]): Promise<(Copied | undefined)[]>;

  /**
   * Copies registers to this acceptor (paper, section 2.3.3): each only if its ballot is above the accepted one and at least the promise, as an accept that
   * comes late. A register that is absent takes a ballot from before the floor, too, but only while the floor is not above `era`. So it may come late, and
   * more than once.
   *
   * @param era of the configuration under which it was read that a copy is wanted
   * @param registers at most 1,000
   * @returns the accepted ballot of each then, in their order, as `formatBallot` writes it
   */
  copy(era: number, registers: readonly Copied[]): Promise<string[]>;

  close(): void;
}
