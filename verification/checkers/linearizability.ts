import type { RecordedOperation, Violation } from './history.js';
import { type State, stateToldTo } from './state.js';
import { describeOperation, describeStates } from './wording.js';

/** What is known of one version of the key. Moments are the numbers of events. */
interface Version {
  /** Its value, where anybody was told of it. */
  val?: string | null;
  /** When the write was invoked that was acknowledged to have made it. */
  maker?: number;
  /** The unknown writes that may have made it. */
  readonly possible: { readonly val: string; readonly invokedAt: number }[];
  /** The first answer that told of it. */
  firstAnswer: number;
  /** The last invocation that was answered with it. */
  lastInvocation: number;
}

/**
 * Whether each operation on one key can have happened at one moment between its invocation and its response, on a register that begins at
 * version 0 (Herlihy & Wing 1990). Exact; takes a time linear in the number of operations, however many of them are unknown.
 *
 * For most types this takes a search through the possible orders (Wing & Gong 1993; Lowe 2017), which unknown operations make exponential.
 * On a register whose answers tell which write they saw it does not (Gibbons & Korach 1997): here the version even tells the order of the
 * writes, so that one look at each version is enough. The comments below say why.
 *
 * @returns the first response that cannot be placed, and what the key can have held instead
 */
export function checkLinearizability(operations: readonly RecordedOperation[]): Violation | undefined {
  if (isLinearizable(operations, Infinity)) return undefined;
  const culprit = firstUnplaceable(operations);
  return culprit && { rule: 'linearizability', key: culprit.key, message: explain(operations, culprit) };
}

/** @param until what is answered after this event counts as still running: a write as unknown, a read as nothing */
function isLinearizable(operations: readonly RecordedOperation[], until: number): boolean {
  const versions = versionsOf(operations, until);
  if (!versions) return false;
  // Above the last version that anybody was told of, unknown writes are best left out: nobody needs what they would make.
  let last = 0;
  for (const [ver, { firstAnswer }] of versions) if (firstAnswer < Infinity) last = Math.max(last, ver);
  let beganAt = 0;
  let seenAt = versions.get(0)?.lastInvocation ?? 0;
  for (let ver = 1; ver <= last; ver += 1) {
    const version = versions.get(ver);
    if (!version) return false;
    // Each version begins as early as it can: after the one before, after its maker was invoked, and when the last of those who saw the one
    // before was under way. To begin later could only miss the deadline that follows, or delay the versions after it.
    beganAt = Math.max(beganAt, makerOf(version), seenAt);
    if (version.firstAnswer <= beganAt) return false;
    seenAt = version.lastInvocation;
  }
  return true;
}

/** Undefined where answers contradict each other, or themselves, in whatever order. */
function versionsOf(operations: readonly RecordedOperation[], until: number): Map<number, Version> | undefined {
  const versions = new Map<number, Version>();
  const at = (ver: number): Version => {
    let version = versions.get(ver);
    if (!version) versions.set(ver, (version = { possible: [], firstAnswer: Infinity, lastInvocation: 0 }));
    return version;
  };
  at(0).val = null;
  for (const operation of operations) {
    const { request, invokedAt } = operation;
    const answer = answeredAt(operation);
    const outcome = answer <= until ? operation.returned?.outcome.kind : undefined;
    if (outcome === 'refused') continue;
    if (outcome !== 'state' && outcome !== 'written') {
      // An unknown write can make one version only: before that one it does not match, and after it never will again.
      if (request.kind === 'cas') at(request.ver + 1).possible.push({ val: request.val, invokedAt });
      continue;
    }
    const told = stateToldTo(operation);
    if (!told || !Number.isSafeInteger(told.ver) || told.ver < 0) return undefined;
    const version = at(told.ver);
    // Versions only grow: each is made once, by one write, and has one value.
    if (version.val !== undefined && version.val !== told.val) return undefined;
    version.val = told.val;
    version.firstAnswer = Math.min(version.firstAnswer, answer);
    if (outcome === 'state') {
      if (request.kind === 'cas' && request.ver === told.ver) return undefined;
      version.lastInvocation = Math.max(version.lastInvocation, invokedAt);
    } else {
      if (version.maker !== undefined) return undefined;
      version.maker = invokedAt;
    }
  }
  return versions;
}

/** When the write was invoked that made a version; Infinity where none can have. */
function makerOf({ val, maker, possible }: Version): number {
  if (maker !== undefined) return maker;
  // An unknown write has no deadline, so that of those which fit the one invoked first serves wherever another one does.
  return possible.reduce((first, write) => (val === undefined || write.val === val ? Math.min(first, write.invokedAt) : first), Infinity);
}

/** When an operation was answered, as the number of that event. */
function answeredAt({ returned }: RecordedOperation): number {
  return returned?.at ?? Infinity;
}

/**
 * The operation whose response ends the shortest part of the history that is wrong: nothing that comes later mends it, so that halves will do.
 * Undefined only where nothing was answered.
 */
function firstUnplaceable(operations: readonly RecordedOperation[]): RecordedOperation | undefined {
  const answered = operations.filter(({ returned }) => returned).sort((a, b) => answeredAt(a) - answeredAt(b));
  const moments = answered.map(answeredAt);
  let [first, last] = [0, answered.length - 1];
  while (first < last) {
    const middle = Math.floor((first + last) / 2);
    if (isLinearizable(operations, moments[middle] ?? Infinity)) first = middle + 1;
    else last = middle;
  }
  return answered[first];
}

function explain(operations: readonly RecordedOperation[], culprit: RecordedOperation): string {
  const { request, returned } = culprit;
  const what = describeOperation(culprit);
  if (request.kind === 'cas' && returned?.outcome.kind === 'refused') {
    return `${what}, but version ${request.ver + 1} was there, and nothing else can have made it`;
  }
  if (request.kind === 'cas' && stateToldTo(culprit)?.ver === request.ver) return `${what}, which is the very version that it expects`;
  return `${what}, but while it ran the key can only have been at ${describeStates(statesDuring(operations, culprit))}`;
}

/** What a get could have answered that was invoked with the culprit, and answered just before it was. */
function statesDuring(operations: readonly RecordedOperation[], culprit: RecordedOperation): State[] {
  const answerAt = answeredAt(culprit) - 0.5;
  const begun = operations.filter(({ invokedAt }) => invokedAt < answerAt);
  const lowest = begun
    .filter((operation) => answeredAt(operation) < culprit.invokedAt)
    .reduce((high, operation) => Math.max(high, stateToldTo(operation)?.ver ?? 0), 0);
  const states = new Map<string, State>();
  const consider = (ver: number, val: string | null): void => {
    if (ver >= lowest) states.set(JSON.stringify([ver, val]), { ver, val });
  };
  consider(0, null);
  for (const { request } of begun) if (request.kind === 'cas') consider(request.ver + 1, request.val);
  const isPossible = (state: State): boolean => {
    const returned = { at: answerAt, atMs: culprit.invokedAtMs, outcome: { kind: 'state', ...state } } as const;
    return isLinearizable([...begun, { ...culprit, request: { kind: 'get' }, returned }], answerAt);
  };
  return [...states.values()].filter(isPossible).sort((a, b) => a.ver - b.ver);
}
