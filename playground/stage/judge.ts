import { checkExactlyOnce } from '../../verification/checkers/exactly-once.js';
import type { AcceptorMonitor } from '../../verification/checkers/acceptor-monitor.js';
import type { History, RecordedOperation, Violation } from '../../verification/checkers/history.js';
import { checkLinearizability } from '../../verification/checkers/linearizability.js';
import { stateToldTo } from '../../verification/checkers/state.js';

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
  /** What an acceptor did that none may. StageClients need not have noticed, yet. */
  readonly misdeed?: string;
}

/** Judges each key by itself; and, apart from that, what the acceptors did. */
export function judge(history: History, monitor: AcceptorMonitor): HistoryVerdict {
  const [first] = monitor.violations;
  const acceptors = first && { misdeed: `${first.rule}: ${first.message}` };
  for (const key of history.keys) {
    const operations = history.of(key);
    const violation = checkLinearizability(operations, history.collectedFrom) ?? checkExactlyOnce(operations);
    if (violation) return { ...broken(violation, history.operations), ...acceptors };
  }
  return { isSound: true, order: orderOf(history.operations), ...acceptors };
}

/** The checkers tell events and times; here both are moves. */
function broken({ rule, message }: Violation, operations: readonly RecordedOperation[]): HistoryVerdict {
  const event = Number(/\(event (\d+)\)/.exec(message)?.[1]);
  const culprit = operations.findIndex(({ invokedAt }) => invokedAt === event);
  return {
    isSound: false,
    order: [],
    rule,
    message: message.replaceAll(/(\d+) ms \(event \d+\)/g, 'move $1'),
    ...(culprit >= 0 && { culprit }),
  };
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
