import { type RecordedOperation, stateToldTo, type Violation } from './history.js';
import { writesOf } from './writes.js';
import { describeOperation, describeState } from './wording.js';

/**
 * Whether no write was applied twice, as far as answers tell it directly: no value holds a word twice, and a write that was sent again under its name
 * was told each time that it made the same version. That nothing else contradicts it is a matter of linearizability, where all its attempts
 * are one operation.
 */
export function checkExactlyOnce(operations: readonly RecordedOperation[]): Violation | undefined {
  const violation = (message: string): Violation => ({ rule: 'exactly once', key: operations[0]?.key ?? '', message });
  for (const operation of operations) {
    const words = stateToldTo(operation)?.val?.split(' ') ?? [];
    const twice = words.length === new Set(words).size ? undefined : words.find((word, index) => words.indexOf(word) !== index);
    if (twice !== undefined) return violation(`${describeOperation(operation)}, in which ${JSON.stringify(twice)} is there twice`);
  }
  for (const { attempts } of writesOf(operations)) {
    const [first, ...others] = attempts.flatMap((attempt) => {
      const told = attempt.returned?.outcome.kind === 'written' ? stateToldTo(attempt) : undefined;
      return told ? [{ attempt, told }] : [];
    });
    const other = others.find(({ told }) => told.ver !== first?.told.ver);
    if (first && other) return violation(`${describeOperation(other.attempt)}, but before that ${describeState(first.told)}`);
  }
  return undefined;
}
