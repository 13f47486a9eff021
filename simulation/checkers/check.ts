import { checkFinalState } from './final-state.js';
import type { History, Violation } from './history.js';
import { checkLineage } from './lineage.js';
import { checkLinearizability } from './linearizability.js';
import type { State } from './wording.js';

/**
 * Judges a whole history, each key by itself: a history is linearizable where that of each key is (Herlihy & Wing 1990, section 3.1).
 *
 * @param finals what each key held when all was over; a key of the history that is missing there is a violation
 */
export function checkHistory(history: History, finals: ReadonlyMap<string, State>): Violation[] {
  return [...new Set([...history.keys, ...finals.keys()])].flatMap((key) => {
    const operations = history.of(key);
    const final = finals.get(key);
    const found = final
      ? [checkLinearizability(operations), checkLineage(operations, final), checkFinalState(operations, final)]
      : [checkLinearizability(operations), { rule: 'final state', key, message: 'nobody knows what the key held in the end' }];
    return found.filter((violation) => violation !== undefined).map((violation) => ({ ...violation, key }));
  });
}
