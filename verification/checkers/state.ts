import type { RecordedOperation } from './history.js';

/** What a key holds. Version 0: it does not exist, and the value is null. */
export interface State {
  readonly ver: number;
  readonly val: string | null;
}

/** What an operation was told that the key holds; undefined where it learned nothing. */
export function stateToldTo({ request, returned }: RecordedOperation): State | undefined {
  if (returned?.outcome.kind === 'state') return returned.outcome;
  return returned?.outcome.kind === 'written' && request.kind === 'cas' ? { ver: request.ver + 1, val: request.val } : undefined;
}
