import type { ClientOutcome, Request } from './history.js';

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
