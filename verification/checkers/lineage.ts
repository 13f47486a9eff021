import type { RecordedOperation, Violation } from './history.js';
import { type State, stateToldTo } from './state.js';
import { describeOperation, describeState } from './wording.js';

interface Write {
  readonly by: RecordedOperation;
  /** The version that it made, where it took effect. */
  readonly ver: number;
  readonly onto: string | null;
}

/**
 * Whether all that anybody was told of one key lives on in what it holds in the end. Every value names the one that it was made from, so that
 * they form a tree; what was acknowledged or seen must lie on the one line that leads to the final value, as deep as its version says.
 *
 * @param final read when all was over
 * @throws RangeError where two writes have the same value, of which `onto` cannot tell which is meant
 */
export function checkLineage(operations: readonly RecordedOperation[], final: State): Violation | undefined {
  const violation = (message: string): Violation => ({ rule: 'lineage', key: operations[0]?.key ?? '', message });
  const writes = writesByValue(operations);
  const line = new Map<number, string | null>([[0, null]]);
  let { ver, val } = final;
  for (; val !== null; ver -= 1) {
    const state = describeState({ ver, val });
    const write = writes.get(val);
    if (!write) return violation(`${state} is, or led to, the final state, but nobody wrote it`);
    if (write.ver !== ver) return violation(`${state} is, or led to, the final state, but it was written to be version ${write.ver}`);
    if (write.by.returned?.outcome.kind === 'refused')
      return violation(`${describeOperation(write.by)}, but is, or led to, the final state`);
    line.set(ver, val);
    val = write.onto;
  }
  if (ver !== 0) return violation(`the final state, ${describeState(final)}, was made from a key that does not exist at version ${ver}`);

  for (const operation of operations) {
    const told = stateToldTo(operation);
    if (!told || line.get(told.ver) === told.val) continue;
    const there = line.get(told.ver);
    const instead =
      there === undefined ? `ended at ${describeState(final)}` : `went through ${describeState({ ver: told.ver, val: there })}`;
    return violation(`${describeOperation(operation)}, but ${describeState(told)} was lost: the key ${instead}`);
  }
  return undefined;
}

function writesByValue(operations: readonly RecordedOperation[]): Map<string, Write> {
  const writes = new Map<string, Write>();
  for (const by of operations) {
    const { request } = by;
    if (request.kind === 'get') continue;
    if (writes.has(request.val)) throw new RangeError(`two writes of the value ${JSON.stringify(request.val)}`);
    writes.set(request.val, { by, ver: request.ver + 1, onto: request.onto });
  }
  return writes;
}
