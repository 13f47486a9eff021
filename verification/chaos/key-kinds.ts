import { ImpossibleAnswer } from './impossible-answer.js';

/** What a kind of key holds, as the checkers see it and as JSON, and the change function that extends it. */
interface KeyKind {
  readonly extends: 'append' | 'add';
  /** The change function of `POST /kv/:key`. */
  readonly change: 'append' | 'merge' | 'add';
  readonly toValue: (text: string) => unknown;
  /** Undefined for what no client wrote. */
  readonly toText: (value: unknown) => string | undefined;
}

const LIST: KeyKind = {
  extends: 'append',
  change: 'append',
  toValue: (text) => text.split(' '),
  toText: (value) => (Array.isArray(value) ? joined(value) : undefined),
};

/** The words are the names of its members, which keep the order in which they came: a word that is merged in is the last. */
const MEMBERS: KeyKind = {
  extends: 'append',
  change: 'merge',
  toValue: (text) => Object.fromEntries(text.split(' ').map((word) => [word, true])),
  toText: (value) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? joined(Object.keys(value)) : undefined),
};

const NUMBER: KeyKind = {
  extends: 'add',
  change: 'add',
  toValue: Number,
  toText: (value) => (Number.isSafeInteger(value) ? String(value) : undefined),
};

export interface ChaosKey extends KeyKind {
  readonly key: string;
  /** When its first rest ends, in milliseconds (see {@link rests}); undefined for the key that is never deleted, of which a collection leaves all answers exact. */
  readonly restedMs?: number;
}

/** Long enough for a collection: it leaves a key that is created again, and one that is so much as read while it removes. */
const REST_MS = 5_000;

/** Few, so that the clients meet. */
export const KEYS: readonly ChaosKey[] = [
  { ...LIST, key: 'chaos-list', restedMs: REST_MS },
  { ...MEMBERS, key: 'chaos-members', restedMs: 2 * REST_MS },
  { ...NUMBER, key: 'chaos-number', restedMs: 3 * REST_MS },
  { ...LIST, key: 'chaos-kept' },
];

/** Whether this is a time in which the key is deleted, and left alone: one of those that are deleted at a time, each in its turn. */
export function rests({ restedMs }: ChaosKey, nowMs: number): boolean {
  return restedMs !== undefined && (nowMs + 3 * REST_MS - restedMs) % (3 * REST_MS) >= 2 * REST_MS;
}

/** A value of a key for the checkers. Throws {@link ImpossibleAnswer}. */
export function textOf({ key, toText }: ChaosKey, value: unknown): string {
  const text = toText(value);
  if (text !== undefined) return text;
  throw new ImpossibleAnswer(`nobody can have written this to ${key}: ${JSON.stringify(value)}`);
}

function joined(words: readonly unknown[]): string | undefined {
  return words.length > 0 && words.every((word) => typeof word === 'string') ? words.join(' ') : undefined;
}
