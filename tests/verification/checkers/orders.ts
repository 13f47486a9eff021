import type { RecordedOperation, ClientOutcome } from '../../../verification/checkers/history.js';

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

/** The register after the operation; undefined where it would have answered something else. */
function happen(state: State, { request, returned }: RecordedOperation): State | undefined {
  const outcome: ClientOutcome = returned?.outcome ?? { kind: 'unknown' };
  const isAt = request.kind === 'get' || request.ver !== state.ver;
  switch (outcome.kind) {
    case 'refused':
      return state;
    case 'state':
      return isAt && outcome.ver === state.ver && outcome.val === state.val ? state : undefined;
    case 'written':
    case 'unknown':
      return request.kind === 'cas' && request.ver === state.ver ? { ver: state.ver + 1, val: request.val } : undefined;
  }
}
