import { type RecordedOperation, type State, stateToldTo, type ToldState, type Violation } from './history.js';
import { earliestBegins } from './courses.js';
import { versionsOf, type KnownVersions } from './versions.js';
import { describeOperation, describeStates } from './wording.js';

/**
 * Whether each operation on one key can have happened at one moment between its invocation and its response, on a register that begins at
 * version 0 (Herlihy & Wing 1990). Writes that were sent several times under one name are one operation, from its first invocation on, and all their
 * answers are its answer. Takes a time linear in the number of operations, however many of them are unknown, and is exact but where
 * tombstones are collected (see `isPlaced`).
 *
 * For most types this takes a search through the possible orders (Wing & Gong 1993; Lowe 2017), which unknown operations make exponential.
 * On a register whose answers tell which write they saw it does not (Gibbons & Korach 1997): here the version even tells the order of the
 * writes, so that one look at each version is enough. `versionsOf` and `earliestBegins` say why.
 *
 * @param collectedFrom see `History.collectedFrom`
 * @returns the first response that cannot be placed, and what the key can have held instead
 */
export function checkLinearizability(operations: readonly RecordedOperation[], collectedFrom?: number): Violation | undefined {
  if (isLinearizable(operations, Infinity, collectedFrom)) return undefined;
  const culprit = firstUnplaceable(operations, collectedFrom);
  return culprit && { rule: 'linearizability', key: culprit.key, message: explain(operations, culprit, collectedFrom) };
}

/** @param until what is answered after this event counts as still running: a write as unknown, a read as nothing */
function isLinearizable(operations: readonly RecordedOperation[], until: number, collectedFrom: number | undefined): boolean {
  const versions = versionsOf(operations, until, collectedFrom !== undefined);
  return versions !== undefined && isPlaced(versions, collectedFrom);
}

/**
 * Whether the versions can have followed each other so that all who were told of them, or that there is nothing, were told what there was.
 *
 * Who is told that a collected key does not exist, and not since when, saw some version that is a deletion, or none of anybody's. No version
 * begins before its earliest moment, so that the last of these that began before the answer is the last that can be meant; therefore the version after it
 * must not begin before that read was invoked. With what follows from it the earliest moments are looked at again, until nothing moves. Of a version
 * that nobody was told of, this believes that it may have been a deletion, and of an open deletion that it may come last: so it may
 * pass a history that is wrong, but refuses none that is right.
 */
function isPlaced(versions: KnownVersions, collectedFrom: number | undefined): boolean {
  const { byNumber, open, absences } = versions;
  const notBefore = new Map<number, number>();
  const isMaybeAbsent = (ver: number): boolean => {
    const { val, maker } = byNumber.get(ver) ?? {};
    return val === null || (val === undefined && !maker);
  };
  for (;;) {
    const begins = earliestBegins(versions, collectedFrom, notBefore);
    if (!begins) return false;
    let hasMoved = false;
    const last = begins.length - 1;
    for (const { invokedAt, answeredAt } of absences) {
      const endsAt = Math.max(begins[last] ?? 0, byNumber.get(last)?.lastInvocation ?? 0);
      if (endsAt < answeredAt && open.some((one) => one.write.request.kind === 'delete' && one.invokedAt < answeredAt)) continue;
      const at = begins.findLastIndex((beganAt, ver) => beganAt < answeredAt && isMaybeAbsent(ver));
      if (at === last || (begins[at + 1] ?? 0) >= invokedAt) continue;
      notBefore.set(at + 1, invokedAt);
      hasMoved = true;
    }
    if (!hasMoved) return true;
  }
}

/** When an operation was answered, as the number of that event. */
function answeredAt({ returned }: RecordedOperation): number {
  return returned?.at ?? Infinity;
}

/**
 * The operation whose response ends the shortest part of the history that is wrong: nothing that comes later mends it, so that halves will do.
 * Undefined only where nothing was answered.
 */
function firstUnplaceable(operations: readonly RecordedOperation[], collectedFrom: number | undefined): RecordedOperation | undefined {
  const answered = operations.filter(({ returned }) => returned).sort((a, b) => answeredAt(a) - answeredAt(b));
  const moments = answered.map(answeredAt);
  let [first, last] = [0, answered.length - 1];
  while (first < last) {
    const middle = Math.floor((first + last) / 2);
    if (isLinearizable(operations, moments[middle] ?? Infinity, collectedFrom)) first = middle + 1;
    else last = middle;
  }
  return answered[first];
}

function explain(operations: readonly RecordedOperation[], culprit: RecordedOperation, collectedFrom: number | undefined): string {
  const { request, returned } = culprit;
  const what = describeOperation(culprit);
  if (request.kind === 'cas' && returned?.outcome.kind === 'refused') {
    return `${what}, but version ${request.ver + 1} was there, and nothing else can have made it`;
  }
  if (request.kind === 'cas' && returned?.outcome.kind === 'state' && returned.outcome.ver === request.ver) {
    return `${what}, which is the very version that it expects`;
  }
  const { states, hidden } = statesDuring(operations, culprit, collectedFrom);
  const more = hidden === 0 ? '' : `; or at what the writes whose outcome nobody knew (${hidden}) can have made of it`;
  return `${what}, but while it ran the key can only have been at ${describeStates(states)}${more}`;
}

/**
 * What a get could have answered that was invoked with the culprit, and answered just before it was; and how many writes may have made something
 * that depends on what was there.
 */
function statesDuring(
  operations: readonly RecordedOperation[],
  culprit: RecordedOperation,
  collectedFrom: number | undefined,
): { states: ToldState[]; hidden: number } {
  const answerAt = answeredAt(culprit) - 0.5;
  const begun = operations.filter(({ invokedAt }) => invokedAt < answerAt);
  const others = begun.filter((operation) => operation !== culprit);
  const lowest = begun
    .filter((operation) => answeredAt(operation) < culprit.invokedAt)
    .reduce((high, operation) => Math.max(high, stateToldTo(operation)?.ver ?? 0), 0);
  const states = new Map<string, State>();
  const consider = (ver: number, val: string | null): void => {
    if (ver >= lowest) states.set(JSON.stringify([ver, val]), { ver, val });
  };
  consider(0, null);
  for (const operation of begun) {
    const { request } = operation;
    const told = answeredAt(operation) < answerAt ? stateToldTo(operation) : undefined;
    if (told?.val !== undefined) consider(told.ver, told.val);
    else if (request.kind === 'cas') consider(request.ver + 1, request.val);
  }
  const isPossible = (state: State): boolean => {
    const returned = { at: answerAt, atMs: culprit.invokedAtMs, outcome: { kind: 'state', ...state } } as const;
    return isLinearizable([...begun, { ...culprit, request: { kind: 'get' }, returned }], answerAt, collectedFrom);
  };
  const hidden = versionsOf(others, answerAt, collectedFrom !== undefined)?.open.filter(({ write }) => write.request.kind !== 'cas');
  return { states: [...states.values()].filter(isPossible).sort((a, b) => a.ver - b.ver), hidden: hidden?.length ?? 0 };
}
