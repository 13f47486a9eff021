import { lastWord, type RecordedOperation, type Request, type WriteRequest } from './history.js';

/** A write, however often it was sent under its name. */
export interface RecordedWrite {
  readonly request: WriteRequest;
  /** In the order of their invocations. */
  readonly attempts: readonly RecordedOperation[];
}

/** The writes of a history: attempts under one name are one. */
export function writesOf(operations: readonly RecordedOperation[]): RecordedWrite[] {
  const writes: { request: WriteRequest; attempts: RecordedOperation[] }[] = [];
  const named = new Map<string, (typeof writes)[number]>();
  for (const operation of operations) {
    const { request } = operation;
    if (request.kind === 'get') continue;
    const known = request.name === undefined ? undefined : named.get(request.name);
    if (known) {
      known.attempts.push(operation);
      continue;
    }
    const write = { request, attempts: [operation] };
    writes.push(write);
    if (request.name !== undefined) named.set(request.name, write);
  }
  return writes;
}

/** Whether it leaves what was there, and more. */
export function isExtending(request: Request | undefined): boolean {
  return request?.kind === 'append' || request?.kind === 'add';
}

/** Whether a write may make this version: one that expects a version makes the next. */
export function isMeantToMake(ver: number, { request }: RecordedWrite): boolean {
  return request.ver === undefined || request.ver === 0 || request.ver + 1 === ver;
}

/**
 * What a write found there, if it left this value: null if the key did not exist, undefined if that cannot be told from the value.
 * @returns undefined where it cannot have left this value
 */
export function foundBy({ request }: RecordedWrite, val: string): { readonly val: string | null | undefined } | undefined {
  if (request.kind === 'delete') return undefined;
  if (request.kind === 'cas' || request.kind === 'set') return val === request.val ? { val: undefined } : undefined;
  const before = request.kind === 'append' ? withoutLast(val, request.val) : difference(val, request.val);
  if (before === undefined || (request.ver !== undefined && (request.ver === 0) !== (before === null))) return undefined;
  return { val: before };
}

function withoutLast(val: string, last: string): string | null | undefined {
  const { before, word } = lastWord(val);
  return word === last ? before : undefined;
}

/** Between two values of a key that holds numbers, null if there is none; undefined where no number is left. */
export function difference(val: string, less: string): string | null | undefined {
  const left = Number(val) - Number(less);
  if (!Number.isSafeInteger(left) || left < 0) return undefined;
  return left === 0 ? null : String(left);
}

/** The word that a write puts into the value; undefined for a deletion. */
export function wordOf({ request }: RecordedWrite): string | undefined {
  return request.kind === 'delete' ? undefined : request.val;
}

/**
 * When a write was invoked by an attempt that can have applied it; undefined if none can have.
 * @param until the event after which an answer does not count: the attempt is then as one that still runs
 */
export function possibleFrom({ attempts }: RecordedWrite, until = Infinity): number | undefined {
  const possible = attempts.filter(({ returned }) => {
    return !returned || returned.at > until || returned.outcome.kind === 'written' || returned.outcome.kind === 'unknown';
  });
  return possible.length === 0 ? undefined : Math.min(...possible.map(({ invokedAt }) => invokedAt));
}

/** Whether an answer acknowledged it. */
export function isAcknowledged({ attempts }: RecordedWrite): boolean {
  return attempts.some(({ returned }) => returned?.outcome.kind === 'written');
}

/** By the words of their writes. Throws RangeError if two have the same. */
export function writesByWord(writes: readonly RecordedWrite[]): Map<string, RecordedWrite> {
  const byWord = new Map<string, RecordedWrite>();
  for (const write of writes) {
    const word = wordOf(write);
    if (word === undefined) continue;
    if (byWord.has(word)) throw new RangeError(`two writes of the value ${JSON.stringify(word)}`);
    byWord.set(word, write);
  }
  return byWord;
}
