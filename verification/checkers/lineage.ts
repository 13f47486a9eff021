import { lastWord, type RecordedOperation, type State, stateToldTo, type Violation } from './history.js';
import { difference, foundBy, isAcknowledged, possibleFrom, type RecordedWrite, writesByWord, writesOf } from './writes.js';
import { describeOperation, describeState } from './wording.js';

/**
 * Whether all that anybody was told of one key lives on in what it holds in the end. Every value names the one that it was made from: a
 * compare-and-set by what its client saw, an append by the words before its own. So they form a tree; what was acknowledged or seen must lie on the
 * one line that leads to the final value, as deep as its version says. A value that was set whatever there was, and a deletion, do not name what they
 * were made from: the line goes on from what somebody was told of the version below, and where nobody was it has a gap, which nobody can contradict.
 *
 * @param final read when all was over
 * @param isCollected whether versions may have been left out (see `History.noteCollection`)
 * @throws RangeError where two writes have the same word, of which a value cannot tell which is meant
 */
export function checkLineage(operations: readonly RecordedOperation[], final: State, isCollected = false): Violation | undefined {
  const violation = (message: string): Violation => ({ rule: 'lineage', key: operations[0]?.key ?? '', message });
  const writes = writesOf(operations);
  const byWord = writesByWord(writes);
  // What such a key had been is not told any more: whether it may be gone is for the register itself to say.
  if (isCollected && final.ver === 0 && final.val === null) return undefined;

  const told = statesTold(operations);
  let deletions = writes.filter((write) => write.request.kind === 'delete' && possibleFrom(write) !== undefined).length;
  const line = new Map<number, string | null>([[0, null]]);
  let val: string | null | undefined = final.val;
  for (let ver = final.ver; ver > 0; ver -= 1) {
    if (val === undefined) val = told.get(ver);
    if (val === undefined) continue;
    line.set(ver, val);
    if (val === null) {
      deletions -= 1;
      if (deletions < 0 && !isCollected) {
        return violation(`the final state, ${describeState(final)}, was made from a key that does not exist at version ${ver}`);
      }
      val = undefined;
      continue;
    }
    const state = describeState({ ver, val });
    const write = byWord.get(lastWord(val).word) ?? addAt(writes, ver, difference(val, told.get(ver - 1) ?? ''));
    if (!write && writes.some(isOpenAdd)) {
      val = undefined;
      continue;
    }
    if (!write) return violation(`${state} is, or led to, the final state, but nobody wrote it`);
    const meant = versionOf(write);
    if (meant !== undefined && meant !== ver) {
      return violation(`${state} is, or led to, the final state, but it was written to be version ${meant}`);
    }
    const [attempt] = write.attempts;
    if (possibleFrom(write) === undefined && attempt?.returned?.outcome.kind === 'refused') {
      return violation(`${describeOperation(attempt)}, but is, or led to, the final state`);
    }
    val = madeFrom(write, val);
  }
  if (val !== undefined && val !== null) {
    return violation(`the final state, ${describeState(final)}, was made from ${describeState({ ver: 0, val })}`);
  }
  return lostFrom(operations, final, line, violation);
}

/** The add that made a version, by what it was told or by what it added. */
function addAt(writes: readonly RecordedWrite[], ver: number, added: string | null | undefined): RecordedWrite | undefined {
  const adds = writes.filter(({ request }) => request.kind === 'add');
  return (
    adds.find((write) => isAcknowledged(write) && versionOf(write) === ver) ??
    adds.find(({ request }) => 'val' in request && request.val === added)
  );
}

/** Whether it can have left a sum of which nobody was told who made it. */
function isOpenAdd(write: RecordedWrite): boolean {
  return write.request.kind === 'add' && possibleFrom(write) !== undefined && !isAcknowledged(write);
}

function lostFrom(
  operations: readonly RecordedOperation[],
  final: State,
  line: ReadonlyMap<number, string | null>,
  violation: (message: string) => Violation,
): Violation | undefined {
  for (const operation of operations) {
    const told = stateToldTo(operation);
    if (!told) continue;
    const there = line.get(told.ver);
    const isOnLine = told.val === undefined ? wordOfOperation(operation) === (there && lastWord(there).word) : there === told.val;
    if (isOnLine || (there === undefined && told.ver > 0 && told.ver <= final.ver)) continue;
    const instead =
      there === undefined ? `ended at ${describeState(final)}` : `went through ${describeState({ ver: told.ver, val: there })}`;
    return violation(`${describeOperation(operation)}, but ${describeState(told)} was lost: the key ${instead}`);
  }
  return undefined;
}

/** What anybody was told of each version, the first of them. */
function statesTold(operations: readonly RecordedOperation[]): Map<number, string | null> {
  const told = new Map<number, string | null>();
  for (const operation of operations) {
    const state = stateToldTo(operation);
    if (state?.val !== undefined && !told.has(state.ver)) told.set(state.ver, state.val);
  }
  return told;
}

/** The version that a write was meant to make, or was answered that it made; undefined if neither tells. */
function versionOf({ request, attempts }: RecordedWrite): number | undefined {
  if (request.ver !== undefined && request.ver > 0) return request.ver + 1;
  for (const { returned } of attempts) if (returned?.outcome.kind === 'written') return returned.outcome.ver;
  return undefined;
}

/** What a write made a value from: null if the key did not exist, undefined if it does not tell. */
function madeFrom(write: RecordedWrite, val: string): string | null | undefined {
  return write.request.kind === 'cas' ? write.request.onto : foundBy(write, val)?.val;
}

function wordOfOperation({ request }: RecordedOperation): string | undefined {
  return request.kind === 'get' || request.kind === 'delete' ? undefined : request.val;
}
