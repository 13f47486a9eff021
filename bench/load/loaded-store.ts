/** What a key holds. */
export interface HeldValue {
  /** Changes with every write. */
  readonly ver: number | string;
  readonly val: unknown;
}

/** Any answer that neither serves the request nor says that somebody else was faster. */
export class NotServed extends Error {}

/** One node to read from and to write to. Methods reject with {@link NotServed}, or with `NetworkError` where no answer came. */
export interface LoadedStore {
  /** `val` undefined: there is no such key. */
  read(key: string): Promise<HeldValue>;
  /** False where the key no longer is as it was held. */
  write(key: string, held: HeldValue, val: unknown): Promise<boolean>;
  /** Adds one by a change function. Missing where the system has none. */
  add?(key: string): Promise<void>;
  close(): Promise<void>;
}
