import { type RecordedOperation, stateToldTo } from '../checkers/history.js';
import { difference, writesOf } from '../checkers/writes.js';

/** What an operation does to a register: of a `cas` the value before and after it, of a `read` what it was told at its end. */
export type RegisterDeed =
  | { readonly f: 'read' | 'write'; readonly value: string | null }
  | { readonly f: 'cas'; readonly value: readonly [before: string | null, after: string | null] }
  | { readonly f: 'append' | 'add'; readonly value: string };

/** The beginning or the end of an operation on a register, as Jepsen's tools tell them. */
export type RegisterEvent = RegisterDeed & {
  readonly type: 'invoke' | 'ok' | 'fail' | 'info';
  /** Does one thing at a time. One that does not learn the outcome does nothing ever after. */
  readonly process: number;
  readonly atMs: number;
  readonly source: RecordedOperation;
};

/**
 * The history of one key for tools that know of a register which is read, written, and compared and set, and of nothing else: neither of versions nor
 * of names. Nil is the value of a key that does not exist.
 *
 * - A deletion is a write of nil, and what expects a version is a `cas` from what somebody was told of it.
 * - An append or an add is a `cas` between the values before and after it, which somebody was told. An append that nobody has seen anything of is left
 *   out: what was told is the same without it. An add that cannot be found in what was told stays an add.
 * - What is sent again under its name is one operation, from the first sending to the first answer that says that it was applied.
 */
export function registerEvents(history: readonly RecordedOperation[]): RegisterEvent[] {
  const told = valuesTold(history);
  const moments = withoutRepeats(history).flatMap((source) => {
    const deed = deedOf(source, told);
    if (!deed) return [];
    const { invokedAt, invokedAtMs, returned } = source;
    const begin = { ...deed, source, at: invokedAt, atMs: invokedAtMs, type: 'invoke' as const };
    return returned ? [begin, { ...deed, source, at: returned.at, atMs: returned.atMs, type: endOf(source) }] : [begin];
  });
  const free: number[] = [];
  const processes = new Map<RecordedOperation, number>();
  let count = 0;
  return moments
    .toSorted((a, b) => a.at - b.at)
    .map((moment) => {
      const { source, type } = moment;
      const process = processes.get(source) ?? free.shift() ?? count++;
      processes.set(source, process);
      if (type === 'ok' || type === 'fail') free.push(process);
      return type === 'ok' && moment.f === 'read'
        ? { ...moment, process, value: stateToldTo(source)?.val ?? null }
        : { ...moment, process };
    });
}

/** The values that somebody was told, by version. Where nothing went wrong each version has one. */
type ValuesTold = ReadonlyMap<number, ReadonlySet<string>>;

function valuesTold(history: readonly RecordedOperation[]): ValuesTold {
  const told = new Map<number, Set<string>>();
  for (const operation of history) {
    const { ver, val } = stateToldTo(operation) ?? {};
    if (ver !== undefined && typeof val === 'string') told.set(ver, (told.get(ver) ?? new Set()).add(val));
  }
  return told;
}

/** Whether it took effect. A read that brought nothing did nothing. */
function endOf({ request, returned }: RecordedOperation): 'ok' | 'fail' | 'info' {
  const outcome = returned?.outcome;
  if (request.kind === 'get') return outcome?.kind === 'state' ? 'ok' : 'fail';
  if (outcome?.kind === 'written') return 'ok';
  return outcome === undefined || outcome.kind === 'unknown' ? 'info' : 'fail';
}

/** With the answer that says that it was applied, if there is one; or else with one that leaves it open. */
function withoutRepeats(history: readonly RecordedOperation[]): RecordedOperation[] {
  const writes = writesOf(history).flatMap(({ attempts }) => {
    const applied = attempts.filter(({ returned }) => returned?.outcome.kind === 'written');
    const [first] = applied.toSorted((a, b) => (a.returned?.at ?? 0) - (b.returned?.at ?? 0));
    const decisive = first ?? attempts.find((attempt) => endOf(attempt) === 'info') ?? attempts[0];
    const [begun] = attempts;
    return begun && decisive ? [{ ...decisive, client: begun.client, invokedAt: begun.invokedAt, invokedAtMs: begun.invokedAtMs }] : [];
  });
  return [...history.filter(({ request }) => request.kind === 'get'), ...writes];
}

function deedOf(operation: RecordedOperation, told: ValuesTold): RegisterDeed | undefined {
  const { request } = operation;
  switch (request.kind) {
    case 'get':
      return { f: 'read', value: null };
    case 'cas':
    case 'set':
    case 'delete': {
      const after = request.kind === 'delete' ? null : request.val;
      const seen = request.kind === 'cas' ? request.onto : null;
      const before = request.ver === 0 ? null : request.ver === undefined ? undefined : (seen ?? [...(told.get(request.ver) ?? [])][0]);
      return before === undefined ? { f: 'write', value: after } : { f: 'cas', value: [before, after] };
    }
    case 'append':
    case 'add': {
      const raw = { f: request.kind, value: request.val };
      if (endOf(operation) === 'fail') return raw;
      const own = stateToldTo(operation)?.val;
      if (request.kind === 'append') return appendIn(own ? [own] : allOf(told), request.val);
      return (typeof own === 'string' ? addIn(own, request.val) : addAmong(told, request.val)) ?? raw;
    }
  }
}

/** A word is behind those that were there before it, whatever came behind it since. */
function appendIn(values: Iterable<string>, word: string): RegisterDeed | undefined {
  for (const val of values) {
    const words = val.split(' ');
    const at = words.indexOf(word);
    if (at >= 0) return { f: 'cas', value: [words.slice(0, at).join(' ') || null, words.slice(0, at + 1).join(' ')] };
  }
  return undefined;
}

function addIn(sum: string, summand: string): RegisterDeed | undefined {
  const before = difference(sum, summand);
  return before === undefined ? undefined : { f: 'cas', value: [before, sum] };
}

/** Of two versions in a row the difference tells what made the second. */
function addAmong(told: ValuesTold, summand: string): RegisterDeed | undefined {
  for (const [ver, values] of told) {
    for (const val of values) {
      const before = difference(val, summand);
      if (before === null || (before !== undefined && told.get(ver - 1)?.has(before))) return { f: 'cas', value: [before, val] };
    }
  }
  return undefined;
}

function* allOf(told: ValuesTold): Iterable<string> {
  for (const values of told.values()) yield* values;
}
