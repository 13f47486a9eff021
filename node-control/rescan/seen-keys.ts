/** What a key costs beside its characters: the head of its string, and its place in a set that has just grown. */
const BYTES_BESIDE = 56;

/** Remembers keys, to put each through once, up to a bound of memory: past it a key may be taken for a new one, and never for an old one. */
export class SeenKeys {
  readonly #seen = new Set<string>();
  readonly #limitBytes: number;
  #bytes = 0;
  #isFull = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Whether there was no room for a key. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Whether the key is known to have come before. */
  has(key: string): boolean {
    return this.#seen.has(key);
  }

  /** Whether the key is not known to have come before. Remembers it if there is room. @param key no part of a longer text, which would be kept as a whole */
  isNew(key: string): boolean {
    if (this.has(key)) return false;
    const bytes = Buffer.byteLength(key);
    const cost = BYTES_BESIDE + (bytes === key.length ? bytes : 2 * key.length);
    if (this.#bytes + cost > this.#limitBytes) {
      this.#isFull = true;
      return true;
    }
    this.#bytes += cost;
    this.#seen.add(key);
    return true;
  }
}
