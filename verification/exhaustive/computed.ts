/** The product's code answers with promises, a search through millions of moments cannot wait for each of them: it stops only where something is new. */
class NotComputed extends Error {
  readonly work: Promise<void>;

  constructor(work: Promise<void>) {
    super('not computed yet');
    this.work = work;
  }
}

/** Remembers what was computed, and looks it up at once. */
export class Computed<Key, Value> {
  readonly #values = new Map<Key, Value>();

  /** Throws where it is not known yet, into {@link whenComputed}. */
  get(key: Key, compute: () => Promise<Value>): Value {
    const value = this.#values.get(key);
    if (value !== undefined) return value;
    throw new NotComputed(compute().then((computed) => void this.#values.set(key, computed)));
  }
}

/** Runs a task that looks things up, again after each one that had to be computed first. */
export async function whenComputed<Result>(task: () => Result): Promise<Result> {
  for (;;) {
    try {
      return task();
    } catch (error) {
      if (!(error instanceof NotComputed)) throw error;
      await error.work;
    }
  }
}
