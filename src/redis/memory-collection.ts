import type { Floor } from '../protocol/acceptor.js';
import { compareBallots } from '../protocol/ballot.js';
import type { Memory } from '../protocol/memory-acceptor.js';
import type { Remains, Tombstone } from './acceptor-admin.js';
import { tombstoneVersion } from './tombstone.js';

/** How an acceptor in memory raises its floor: the model that `collection-scripts.ts` is tested against, as the others here. */
export function raiseFloor(memory: Memory, { era, version }: Floor): void {
  const present = memory.floor ?? { era: 0, version: 0 };
  memory.floor = { era: Math.max(present.era, era), version: Math.max(present.version, version) };
}

export function remainsIn({ registers }: Memory, key: string): Remains | undefined {
  const register = registers.get(key);
  if (!register) return undefined;
  const { ballot, value } = register;
  return { key, ballot, version: value === null ? 0 : tombstoneVersion(value) };
}

/** @returns how many were removed */
export function erase(memory: Memory, era: number, tombstones: readonly Tombstone[]): number {
  const floor = memory.floor ?? { era: 0, version: 0 };
  let count = 0;
  for (const { key, ballot, version } of tombstones) {
    const register = memory.registers.get(key);
    const isSeen = register && compareBallots(register.ballot, ballot) === 0;
    if (!isSeen || floor.era < era || version > floor.version || register.promise.era >= era) continue;
    memory.registers.delete(key);
    count += 1;
  }
  return count;
}
