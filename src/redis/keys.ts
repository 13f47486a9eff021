/** Registers are the hashes under this prefix; whatever else an acceptor stores lies outside it. */
export const REGISTER_PREFIX = 'r:';
/** Who the acceptor is, beside its registers: what wipes them wipes this. The scripts look at it. */
export const IDENTITY_KEY = 'identity';
/** How often it counted, and the highest era that each proposer said it had: see `Greeting`. */
export const BEATS_KEY = 'beats';
export const ERAS_KEY = 'eras';

/** What an acceptor keeps beside its registers. */
export interface AcceptorKeys {
  readonly identity: readonly string[];
  readonly others: readonly string[];
}

export const ONE_REDIS: AcceptorKeys = { identity: [IDENTITY_KEY], others: [BEATS_KEY, ERAS_KEY] };
