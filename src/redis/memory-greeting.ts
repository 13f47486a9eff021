import { compareBallots, ZERO_BALLOT } from '../protocol/ballot.js';
import type { Memory } from '../protocol/memory-acceptor.js';
import type { Greeted, Greeting } from '../store/greeting.js';

/** What an acceptor that is greeted keeps besides. */
export interface GreetedMemory extends Memory {
  /** How often it counted. */
  beats?: number;
  /** The highest era that each proposer said it had, by its number. */
  eras?: ReadonlyMap<number, number>;
}

/** Leaves an acceptor as empty as a new one. */
export function forgetAll(memory: GreetedMemory): void {
  memory.registers.clear();
  delete memory.identity;
  delete memory.floor;
  delete memory.beats;
  delete memory.eras;
}

/** How an acceptor in memory answers a greeting: the model that `acceptor/greet.lua` is tested against. One write at most. */
export function greetMemory(memory: GreetedMemory, { identity, beats, confirmed, marked, proposer, era, isCounting }: Greeting): Greeted {
  if (memory.identity !== identity) return { kind: 'stranger', identity: memory.identity };
  const present = memory.beats ?? 0;
  const ofAbsent = { ...ZERO_BALLOT, era: memory.floor?.era ?? 0 };
  const promise = memory.registers.get(confirmed?.key ?? '')?.promise ?? ofAbsent;
  if (present < beats || compareBallots(confirmed?.promise ?? ZERO_BALLOT, promise) > 0) {
    memory.identity = marked;
    return { kind: 'back', identity: marked };
  }
  const known = memory.eras?.get(proposer) ?? -1;
  if (proposer !== 0 && known > era) return { kind: 'old', era: known };
  if (proposer !== 0 && known < era) {
    memory.eras = new Map([...(memory.eras ?? []), [proposer, era]]);
    return { kind: 'told', beats: present };
  }
  if (isCounting) memory.beats = present + 1;
  return { kind: 'ok', beats: present + Number(isCounting) };
}
