import type { Accepted } from '../protocol/acceptor.js';
import { type Ballot, compareBallots, ZERO_BALLOT } from '../protocol/ballot.js';
import type { Memory } from '../protocol/memory-acceptor.js';
import type { Copied, Holding } from './acceptor-admin.js';

/** How an acceptor in memory tells what it holds: the model that `copying.ts` is tested against, as the others here. */
export function holdingIn({ registers }: Memory, key: string): Holding | undefined {
  const register = registers.get(key);
  return register && { ballot: register.ballot, valueBytes: Buffer.byteLength(register.value ?? '') };
}

export function acceptedIn({ registers }: Memory, key: string): Accepted | undefined {
  const register = registers.get(key);
  return register && { ballot: register.ballot, value: register.value };
}

/** @returns the accepted ballot then */
export function copyInto({ registers, floor = { era: 0, version: 0 } }: Memory, era: number, { key, ballot, value }: Copied): Ballot {
  const { promise, ballot: accepted } = registers.get(key) ?? { promise: ZERO_BALLOT, ballot: ZERO_BALLOT };
  const isOver = floor.era > era;
  if (isOver || compareBallots(promise, ballot) > 0 || compareBallots(ballot, accepted) <= 0) return accepted;
  const least = { ...ZERO_BALLOT, era: floor.era };
  registers.set(key, { promise: compareBallots(least, ballot) > 0 ? least : ballot, ballot, value });
  return ballot;
}
