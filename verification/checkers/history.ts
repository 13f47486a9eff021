/**
 * A write of a key. Values are words: a `cas` and a `set` leave their own word alone, an `append` puts it behind those that are there. A word is
 * unique in its history, so that a value tells which writes it was made by, up to the one that began it.
 *
 * Or they are whole numbers above 0, to which an `add` adds its own. These are unique as well, and none of them is a sum of others, so that of two
 * successive values the difference tells which write made the second.
 */
export type WriteRequest = {
  /** Under which the client sends it again until it knows the outcome; unique in the history. All that have it are one write, applied once at most. */
  readonly name?: string;
} & (
  | {
      readonly kind: 'cas';
      /** The version that the write expects. 0: the key does not exist. */
      readonly ver: number;
      readonly val: string;
      /** The value that the client saw at `ver`, null for version 0: what this write is made from. */
      readonly onto: string | null;
    }
  /** If `ver` is given, only where the key is at that version; 0: where it does not exist. */
  | { readonly kind: 'set' | 'append' | 'add'; readonly val: string; readonly ver?: number }
  /** Of a key that exists, at `ver` if that is given. */
  | { readonly kind: 'delete'; readonly ver?: number }
);

/** What a client asked of a key. */
export type Request = { readonly kind: 'get' } | WriteRequest;

export type ClientOutcome =
  /**
   * The present state: of a get, or with a write that did not match and so was not applied. Of a key that does not exist `val` is null, and `ver`
   * the version of its deletion; 0 if that is not told, or if it never existed.
   */
  | { readonly kind: 'state'; readonly ver: number; readonly val: string | null }
  /** A write: the version that it made, and what that holds; undefined if that is not told. */
  | { readonly kind: 'written'; readonly ver: number; readonly val?: string | null }
  /** Certainly not applied, and nothing learned. */
  | { readonly kind: 'refused' }
  /** A write that may have taken effect, may still, or never will. */
  | { readonly kind: 'unknown' };

/**
 * One operation of one client. Invocations and responses of a history are numbered in the order in which they happened: an operation that
 * returned before another one was invoked has the lower number.
 */
export interface RecordedOperation {
  readonly client: string;
  readonly key: string;
  readonly request: Request;
  readonly invokedAt: number;
  readonly invokedAtMs: number;
  /** Undefined while it runs; such a write is as good as unknown. */
  readonly returned?: { readonly at: number; readonly atMs: number; readonly outcome: ClientOutcome };
}

/** What a checker found. */
export interface Violation {
  /** Which rule was broken, in a few words: `linearizability`, `one value for each ballot`, … */
  readonly rule: string;
  readonly key: string;
  /** What was seen, in one sentence. */
  readonly message: string;
}

/** Records operations as clients see them. */
export class History {
  readonly operations: RecordedOperation[] = [];
  readonly #nowMs: () => number;
  #events = 0;
  #collectedFrom: number | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * From here on tombstones may be collected, of any key: one that does not exist may then go on above any version, and its readers are not told
   * the version of its deletion.
   */
  noteCollection(): void {
    this.#collectedFrom ??= this.#events += 1;
  }

  /** The event from which on that may be; undefined if it never was. */
  get collectedFrom(): number | undefined {
    return this.#collectedFrom;
  }

  /** An operation begins. Returns what is to be called at its end, which returns the whole. */
  invoke(client: string, key: string, request: Request): (outcome: ClientOutcome) => RecordedOperation {
    const index = this.operations.length;
    const operation: RecordedOperation = { client, key, request, invokedAt: (this.#events += 1), invokedAtMs: this.#nowMs() };
    this.operations.push(operation);
    return (outcome) => {
      return (this.operations[index] = { ...operation, returned: { at: (this.#events += 1), atMs: this.#nowMs(), outcome } });
    };
  }

  /** Those of one key, in the order of their invocations. */
  of(key: string): RecordedOperation[] {
    return this.operations.filter((operation) => operation.key === key);
  }

  get keys(): string[] {
    return [...new Set(this.operations.map(({ key }) => key))];
  }
}

/** What a key holds. A key that does not exist has the value null, and the version of its deletion; 0 if it was never there, or nobody tells. */
export interface State {
  readonly ver: number;
  readonly val: string | null;
}

/** A version, and what it holds as far as that was told. */
export interface ToldState {
  readonly ver: number;
  readonly val: string | null | undefined;
}

interface Answered {
  readonly request: Request;
  readonly returned?: { readonly outcome: ClientOutcome };
}

/** What an operation was told of a version: one that the key was at, or that it made itself. Undefined if it learned nothing. */
export function stateToldTo({ request, returned }: Answered): ToldState | undefined {
  const outcome = returned?.outcome;
  if (outcome?.kind === 'state') return { ver: outcome.ver, val: outcome.val };
  if (outcome?.kind !== 'written' || request.kind === 'get') return undefined;
  return { ver: outcome.ver, val: outcome.val === undefined ? madeByItself(request) : outcome.val };
}

/** What a write leaves whatever was there; undefined if that depends on it. */
export function madeByItself(request: Request): string | null | undefined {
  if (request.kind === 'delete') return null;
  return request.kind === 'cas' || request.kind === 'set' ? request.val : undefined;
}

/** A value without its last word, null if it has one only; and that word. */
export function lastWord(val: string): { before: string | null; word: string } {
  const at = val.lastIndexOf(' ');
  return at < 0 ? { before: null, word: val } : { before: val.slice(0, at), word: val.slice(at + 1) };
}
