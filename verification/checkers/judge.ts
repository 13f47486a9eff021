import { checkExactlyOnce } from './exactly-once.js';
import type { AcceptorMonitor } from './acceptor-monitor.js';
import { type History, type RecordedOperation, stateToldTo, type Violation } from './history.js';
import { checkLinearizability } from './linearizability.js';

/** What the checkers say of the history so far. */
export interface HistoryVerdict {
  readonly isSound: boolean;
  /** Where it is sound: the operations that were told something, by their numbers, in an order that explains all answers. */
  readonly order: readonly number[];
  /** Where it is not: which rule was broken, and how. */
  readonly rule?: string;
  readonly message?: string;
  /** The operation that cannot be placed, if it is one. */
  readonly culprit?: number;
  /** What an acceptor did that none may. Clients need not have noticed, yet. */
  readonly misdeed?: string;
}

/** Judges each key by itself; and, apart from that, what the acceptors did. */
export function judge(history: Pick<History, 'keys' | 'of' | 'operations' | 'collectedFrom'>, monitor: AcceptorMonitor): HistoryVerdict {
  const [first] = monitor.violations;
  const acceptors = first && { misdeed: `${first.rule}: ${first.message}` };
  for (const key of history.keys) {
    const operations = history.of(key);
    const violation = checkLinearizability(operations, history.collectedFrom) ?? checkExactlyOnce(operations);
    if (violation) return { ...broken(violation, history.operations), ...acceptors };
  }
  return { isSound: true, order: orderOf(history.operations), ...acceptors };
}

function broken({ rule, message }: Violation, operations: readonly RecordedOperation[]): HistoryVerdict {
  const event = Number(/\(event (\d+)\)/.exec(message)?.[1]);
  const culprit = operations.findIndex(({ invokedAt }) => invokedAt === event);
  return { isSound: false, order: [], rule, message, ...(culprit >= 0 && { culprit }) };
}

/** Versions tell the order: what made one comes before those who saw it, and these before what made the next. */
function orderOf(operations: readonly RecordedOperation[]): number[] {
  const placed = operations.flatMap((operation, number) => {
    const told = stateToldTo(operation);
    return told ? [{ number, ver: told.ver, isMaker: operation.returned?.outcome.kind === 'written', at: operation.invokedAt }] : [];
  });
  placed.sort((a, b) => a.ver - b.ver || Number(b.isMaker) - Number(a.isMaker) || a.at - b.at);
  return placed.map(({ number }) => number);
}
