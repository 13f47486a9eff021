import type { Acquaintance, Fitness } from './fitness.js';

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

  /** The highest era in any ballot that the acceptor has seen; 0 if there is none. Reads every register. */
  highestEra(): Promise<number>;

  /**
   * Who the acceptor is; undefined if it never joined a cluster, or has forgotten. One that has forgotten in part, or is put together of
   * several, is nobody's: all that its parts say, with bars between.
   */
  identity(): Promise<string | undefined>;

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

  close(): void;
}
