import type { RecordedOperation, ClientOutcome, Request, WriteRequest } from '../../../verification/checkers/history.js';

interface State {
  readonly ver: number;
  readonly val: string | null;
}

/**
 * Linearizability by its definition: tries every order of the operations that real time allows, with each unknown write in it or left out,
 * one after the other on a register. Knows nothing of how the checker does it, and takes a time exponential in the number of operations.
 */
export function someOrderExplains(operations: readonly RecordedOperation[]): boolean {
  return fits({ ver: 0, val: null }, operations);
}

function fits(state: State, left: readonly RecordedOperation[]): boolean {
  if (left.every((operation) => !mustHappen(operation))) return true;
  return left.some((operation) => {
    if (left.some((other) => other.returned && mustHappen(other) && other.returned.at < operation.invokedAt)) return false;
    const next = happen(state, operation);
    return (
      next !== undefined &&
      fits(
        next,
        left.filter((other) => other !== operation),
      )
    );
  });
}

/** Whether an order without this operation explains nothing. */
function mustHappen({ returned }: RecordedOperation): boolean {
  return returned !== undefined && returned.outcome.kind !== 'unknown';
}

/** The register after the operation; undefined where it would have answered something else, or an unknown write would not have been applied. */
function happen(state: State, { request, returned }: RecordedOperation): State | undefined {
  const outcome: ClientOutcome = returned?.outcome ?? { kind: 'unknown' };
  const next = applied(state, request);
  switch (outcome.kind) {
    case 'refused':
      return state;
    case 'state':
      return !next && outcome.ver === state.ver && outcome.val === state.val ? state : undefined;
    case 'written':
      return next?.ver === outcome.ver && (outcome.val === undefined || outcome.val === next.val) ? next : undefined;
    case 'unknown':
      return next;
  }
}

/** The register after a write; undefined where it does not apply. A key that does not exist has the value null, at the version of its deletion. */
export function applied({ ver, val }: State, request: Request): State | undefined {
  if (request.kind === 'get' || (request.kind === 'delete' && val === null)) return undefined;
  if (request.ver !== undefined && (val === null ? 0 : ver) !== request.ver) return undefined;
  return { ver: ver + 1, val: left(val, request) };
}

function left(val: string | null, request: WriteRequest): string | null {
  switch (request.kind) {
    case 'cas':
    case 'set':
      return request.val;
    case 'append':
      return val === null ? request.val : `${val} ${request.val}`;
    case 'add':
      return String(Number(val ?? 0) + Number(request.val));
    case 'delete':
      return null;
  }
}
