import type { Operation, Violation } from './history.js';
import { describeOperation, describeStates, type State } from './wording.js';

/** What is known of one version of the key. */
interface Version {
  /** Acknowledged writes that made it. */
  readonly written: Operation[];
  /** Writes that may have made it: nobody knows. */
  readonly possible: Operation[];
  /** Those that were answered with it. */
  readonly seen: { readonly by: Operation; readonly val: string | null }[];
}

/**
 * Whether each operation on one key can have happened at one moment between its invocation and its response, on a register that begins at
 * version 0 (Herlihy & Wing 1990). Exact; takes a time linear in the number of operations, however many of them are unknown.
 *
 * For most types this takes a search through the possible orders (Wing & Gong 1993; Lowe 2017), which unknown operations make exponential.
 * On a register whose answers tell which write they saw it does not (Gibbons & Korach 1997): here the version even tells the order of the
 * writes, so that one look at each version is enough. The comments in {@link isLinearizable} say why.
 *
 * @returns the first response that cannot be placed, and what the key can have held instead
 */
export function checkLinearizability(operations: readonly Operation[]): Violation | undefined {
  if (isLinearizable(operations, Infinity)) return undefined;
  const culprit = firstUnplaceable(operations);
  return culprit && { rule: 'linearizability', key: culprit.key, message: explain(operations, culprit) };
}

/** @param until what is answered after this event counts as still running: a write as unknown, a read as nothing */
function isLinearizable(operations: readonly Operation[], until: number): boolean {
  const versions = versionsOf(operations, until);
  if (!versions) return false;
  // A write that nobody knows of, at or beyond the last version that somebody does know of, is one that never took effect.
  const last = [...versions].reduce((high, [ver, { written, seen }]) => (written.length + seen.length > 0 ? Math.max(high, ver) : high), 0);
  // The first version was there before the first event. Its value is null, and nobody makes it.
  let previous = versions.get(0) ?? NOTHING_KNOWN;
  if (previous.seen.some(({ val }) => val !== null)) return false;
  let beganAt = 0;
  for (let ver = 1; ver <= last; ver += 1) {
    const version = versions.get(ver) ?? NOTHING_KNOWN;
    // Versions only grow: each is made once, and by one write. An unknown write can do so at its own version only, so it need not be
    // remembered: before that version it does not match, and after it never will again.
    const maker = makerOf(version);
    if (!maker) return false;
    // Each version begins as early as it can: after the one before it, after its maker was invoked, and when the last operation that saw the
    // one before it was under way. Beginning later could only miss a deadline of its own or delay the versions after it.
    beganAt = previous.seen.reduce((at, { by }) => Math.max(at, by.invokedAt), Math.max(beganAt, maker.invokedAt));
    // Whoever saw it, or is known to have made it, was answered later than it began. That it was not over when they were invoked is what
    // the beginning of the next one takes care of; the last one is never over.
    const answeredBefore = (operation: Operation): boolean => answeredAt(operation) <= beganAt;
    if (version.written.some(answeredBefore) || version.seen.some(({ by }) => answeredBefore(by))) return false;
    previous = version;
  }
  return true;
}

const NOTHING_KNOWN: Version = { written: [], possible: [], seen: [] };

/** Undefined where an answer is one that no state of the register allows. */
function versionsOf(operations: readonly Operation[], until: number): Map<number, Version> | undefined {
  const versions = new Map<number, Version>();
  const at = (ver: number): Version => {
    let version = versions.get(ver);
    if (!version) versions.set(ver, (version = { written: [], possible: [], seen: [] }));
    return version;
  };
  for (const operation of operations) {
    const { request } = operation;
    const outcome = answeredAt(operation) <= until ? operation.returned?.outcome : undefined;
    if (outcome?.kind === 'refused') continue;
    if (outcome?.kind === 'state') {
      if (!isVersion(outcome.ver) || (request.kind === 'cas' && request.ver === outcome.ver)) return undefined;
      at(outcome.ver).seen.push({ by: operation, val: outcome.val });
    } else if (outcome?.kind === 'written') {
      if (request.kind === 'get' || !isVersion(request.ver)) return undefined;
      at(request.ver + 1).written.push(operation);
    } else if (request.kind === 'cas') {
      at(request.ver + 1).possible.push(operation);
    }
  }
  return versions;
}

function isVersion(ver: number): boolean {
  return Number.isSafeInteger(ver) && ver >= 0;
}

/** The write that made a version; undefined where none can have, or two would have to. */
function makerOf({ written, possible, seen }: Version): Operation | undefined {
  const [acknowledged, another] = written;
  if (another) return undefined;
  const candidates = acknowledged ? [acknowledged] : possible;
  // An unknown write has no deadline, so that of those which fit, the one invoked first fits wherever another one does.
  return candidates
    .filter(({ request }) => request.kind === 'cas' && seen.every(({ val }) => val === request.val))
    .reduce<Operation | undefined>((first, each) => (first && first.invokedAt < each.invokedAt ? first : each), undefined);
}

/** When an operation was answered, as the number of that event. */
function answeredAt({ returned }: Operation): number {
  return returned?.at ?? Infinity;
}

/**
 * The operation whose response ends the shortest part of the history that is wrong: nothing that comes later mends it, so that halves will do.
 * Undefined only where nothing was answered.
 */
function firstUnplaceable(operations: readonly Operation[]): Operation | undefined {
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

function explain(operations: readonly Operation[], culprit: Operation): string {
  const { request, returned } = culprit;
  const what = describeOperation(culprit);
  const outcome = returned?.outcome;
  if (request.kind === 'cas' && outcome?.kind === 'refused') {
    return `${what}, but nothing else can have made version ${request.ver + 1}, which was there`;
  }
  if (request.kind === 'cas' && outcome?.kind === 'state' && outcome.ver === request.ver)
    return `${what}: the very version that it expects`;
  return `${what}, but while it ran the key can only have been at ${describeStates(statesDuring(operations, culprit))}`;
}

/** What a get could have answered that was invoked with the culprit, and answered just before it was. */
function statesDuring(operations: readonly Operation[], culprit: Operation): State[] {
  const answerAt = answeredAt(culprit) - 0.5;
  const before = operations.filter((operation) => answeredAt(operation) < culprit.invokedAt);
  const lowest = before.reduce((high, operation) => Math.max(high, versionKnownBy(operation)), 0);
  const states = new Map<string, State>();
  const consider = (ver: number, val: string | null): void => {
    if (ver >= lowest) states.set(JSON.stringify([ver, val]), { ver, val });
  };
  consider(0, null);
  for (const { request } of operations) if (request.kind === 'cas') consider(request.ver + 1, request.val);
  return [...states.values()]
    .filter((state) => {
      const returned = { at: answerAt, atMs: culprit.invokedAtMs, outcome: { kind: 'state', ...state } } as const;
      const get: Operation = { ...culprit, request: { kind: 'get' }, returned };
      return isLinearizable([...operations, get], answerAt);
    })
    .sort((a, b) => a.ver - b.ver);
}

/** The version that the key was at when this was answered, or a lower one. */
function versionKnownBy({ request, returned }: Operation): number {
  if (returned?.outcome.kind === 'state') return returned.outcome.ver;
  return returned?.outcome.kind === 'written' && request.kind === 'cas' ? request.ver + 1 : 0;
}
