/** What a client asked of a key. Every value written is unique in its history. */
export type Request =
  | { readonly kind: 'get' }
  | {
      readonly kind: 'cas';
      /** The version that the write expects; it makes the next. 0: the key does not exist. */
      readonly ver: number;
      readonly val: string;
      /** The value that the client saw at `ver`, null for version 0: what this write is made from. */
      readonly onto: string | null;
    };

export type ClientOutcome =
  /** The present state: of a get, or with a write that did not match and so was not applied. */
  | { readonly kind: 'state'; readonly ver: number; readonly val: string | null }
  /** A write: its value is the version after the one that it expected. */
  | { readonly kind: 'written' }
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

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** An operation begins. Returns what is to be called at its end. */
  invoke(client: string, key: string, request: Request): (outcome: ClientOutcome) => void {
    const index = this.operations.length;
    const operation: RecordedOperation = { client, key, request, invokedAt: (this.#events += 1), invokedAtMs: this.#nowMs() };
    this.operations.push(operation);
    return (outcome) => {
      this.operations[index] = { ...operation, returned: { at: (this.#events += 1), atMs: this.#nowMs(), outcome } };
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
