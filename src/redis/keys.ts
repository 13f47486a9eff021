/** Registers are the hashes under this prefix; whatever else an acceptor stores lies outside it. */
export const REGISTER_PREFIX = 'r:';
/** Who the acceptor is, beside its registers: what wipes them wipes this. The scripts look at it. */
export const IDENTITY_KEY = 'identity';
/** The same for its floor (see `Floor`): the name is among those that the users of every version may touch. */
export const FLOOR_KEY = 'identity:floor';
/** How often it counted, and the highest era that each proposer said it had: see `Greeting`. */
export const BEATS_KEY = 'beats';
export const ERAS_KEY = 'eras';

/** Where a floor is kept, beside an identity: in a Redis Cluster both in one slot. */
export function floorKeyBeside(identityKey: string): string {
  return identityKey === IDENTITY_KEY ? FLOOR_KEY : identityKey.replace(IDENTITY_KEY, FLOOR_KEY);
}

/** What an acceptor keeps beside its registers, besides a floor beside each identity. */
export interface AcceptorKeys {
  readonly identity: readonly string[];
  readonly others: readonly string[];
}

export const ONE_REDIS: AcceptorKeys = { identity: [IDENTITY_KEY], others: [BEATS_KEY, ERAS_KEY] };
