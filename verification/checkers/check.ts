import { checkExactlyOnce } from './exactly-once.js';
import { checkFinalState } from './final-state.js';
import { type History, type RecordedOperation, type State, stateToldTo, type Violation } from './history.js';
import { checkLineage } from './lineage.js';
import { checkLinearizability } from './linearizability.js';
import { possibleFrom, writesOf } from './writes.js';

/**
 * Judges a whole history, each key by itself: a history is linearizable where that of each key is (Herlihy & Wing 1990, section 3.1).
 *
 * @param finals what each key held when all was over; a key of the history that is missing there is a violation
 */
export function checkHistory(history: History, finals: ReadonlyMap<string, State>): Violation[] {
  const byKey = new Map<string, RecordedOperation[]>([...history.keys, ...finals.keys()].map((key) => [key, []]));
  for (const operation of history.operations) byKey.get(operation.key)?.push(operation);
  return [...byKey].flatMap(([key, operations]) => {
    const collectedFrom = isOutOfReach(operations, history.collectedFrom) ? undefined : history.collectedFrom;
    const isCollected = collectedFrom !== undefined;
    const final = finals.get(key);
    const ofOperations = [checkLinearizability(operations, collectedFrom), checkExactlyOnce(operations)];
    const found = final
      ? [...ofOperations, checkLineage(operations, final, isCollected), checkFinalState(operations, final, isCollected)]
      : [...ofOperations, { rule: 'final state', key, message: 'nobody knows what the key held in the end' }];
    return found.filter((violation) => violation !== undefined).map((violation) => ({ ...violation, key }));
  });
}

/** Whether no collection can have touched the key: it was there before the first one, and nobody can have deleted it. */
function isOutOfReach(operations: readonly RecordedOperation[], collectedFrom = Infinity): boolean {
  if (writesOf(operations).some((write) => write.request.kind === 'delete' && possibleFrom(write) !== undefined)) return false;
  return operations.some(
    (operation) => (operation.returned?.at ?? Infinity) < collectedFrom && typeof stateToldTo(operation)?.val === 'string',
  );
}
