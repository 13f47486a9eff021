import { lastWord, type RecordedOperation, type State, type Violation } from './history.js';
import { difference, isAcknowledged, possibleFrom, type RecordedWrite, wordOf, writesOf } from './writes.js';
import { describeState } from './wording.js';

/** How a sum was made tells its lineage; here it is enough that it can hold what was added. */
function isAddedTo({ request }: RecordedWrite, { val }: State): boolean {
  return request.kind === 'add' && val !== null && typeof difference(val, request.val) === 'string';
}

/**
 * Whether what one key holds in the end is within what was written: each acknowledged write made a version, and each unknown one may have.
 *
 * @param final read when all was over
 * @param isCollected whether versions may have been left out (see `History.noteCollection`); a key that does not exist tells none then
 */
export function checkFinalState(operations: readonly RecordedOperation[], final: State, isCollected = false): Violation | undefined {
  const words = final.val === null ? undefined : lastWord(final.val).word;
  let [acknowledged, unknown] = [0, 0];
  let isWritten = final.ver === 0 && final.val === null;
  for (const write of writesOf(operations)) {
    if (isAcknowledged(write)) acknowledged += 1;
    else if (possibleFrom(write) !== undefined) unknown += 1;
    else continue;
    if (wordOf(write) === words || isAddedTo(write, final)) isWritten = true;
  }
  const violation = (problem: string): Violation => ({
    rule: 'final state',
    key: operations[0]?.key ?? '',
    message: `the key ended at ${describeState(final)}, ${problem} (${acknowledged} writes acknowledged, ${unknown} unknown)`,
  });
  const isVersionTold = !(isCollected && final.ver === 0 && final.val === null);
  if (isVersionTold && !(final.ver >= acknowledged)) return violation('which is fewer versions than writes that were acknowledged');
  if (!isCollected && !(final.ver <= acknowledged + unknown)) {
    return violation('which is more versions than writes that can have made them');
  }
  if (!isWritten) return violation('a value that none of its writes can have left');
  return undefined;
}
