import { compareBallots, formatBallot, parseBallot, ZERO_BALLOT } from '../protocol/ballot.js';
import type { Memory } from '../protocol/memory-acceptor.js';
import type { Copied } from './acceptor-admin.js';
import { ABSENT, type Holding } from './holding.js';

/** How an acceptor in memory tells what it holds: the model that `copying.ts` is tested against, as the others here. */
export function holdingIn({ registers }: Memory, key: string): Holding {
  const register = registers.get(key);
  return register ? `${formatBallot(register.ballot)}:${Buffer.byteLength(register.value ?? '')}` : ABSENT;
}

export function acceptedIn({ registers }: Memory, key: string): Copied | undefined {
  const register = registers.get(key);
  return register && { key, ballot: formatBallot(register.ballot), value: register.value };
}

/** @returns the accepted ballot then */
export function copyInto({ registers, floor = { era: 0, version: 0 } }: Memory, era: number, { key, ballot: text, value }: Copied): string {
  const { promise, ballot: accepted } = registers.get(key) ?? { promise: ZERO_BALLOT, ballot: ZERO_BALLOT };
  const ballot = parseBallot(text);
  const isOver = floor.era > era;
  if (isOver || compareBallots(promise, ballot) > 0 || compareBallots(ballot, accepted) <= 0) return formatBallot(accepted);
  const least = { ...ZERO_BALLOT, era: floor.era };
  registers.set(key, { promise: compareBallots(least, ballot) > 0 ? least : ballot, ballot, value });
  return text;
}
