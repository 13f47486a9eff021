import type { RecordedOperation } from '../checkers/history.js';
import { KEY } from './key.js';
import type { World } from './world.js';

/**
 * The history of a world in which every operation has returned. Which operations were told something before another was invoked is all that is
 * known of their order (see `toldIn`); any order of events that agrees with it will do, as no other is stricter.
 */
export function operationsOf({ proposers, invoked }: World): RecordedOperation[] {
  const operations: RecordedOperation[] = [];
  const begun = proposers.map(() => 0);
  const ended = proposers.map(() => 0);
  const running = proposers.map((): number | undefined => undefined);
  const isInvokable = (client: number): boolean => {
    if (running[client] !== undefined) return false;
    return invoked[client]?.[begun[client] ?? 0]?.every((count, other) => (ended[other] ?? 0) >= count) ?? false;
  };
  /** What it is told must not come before an operation that was invoked without it. */
  const isAnswerable = (client: number): boolean => {
    const number = (ended[client] ?? 0) + 1;
    const outcome = proposers[client]?.performed[number - 1]?.outcome?.kind;
    const isTold = outcome === 'state' || outcome === 'written';
    const waiting = invoked.flatMap((ofOther, other) => ofOther.slice(begun[other]));
    return running[client] !== undefined && (!isTold || waiting.every((after) => (after[client] ?? 0) >= number));
  };
  const events = 2 * proposers.reduce((sum, { performed }) => sum + performed.length, 0);
  for (let at = 1; at <= events; at += 1) {
    const invoking = proposers.findIndex((_, client) => isInvokable(client));
    if (invoking >= 0) {
      const request = proposers[invoking]?.performed[begun[invoking] ?? 0]?.request ?? { kind: 'get' };
      running[invoking] = operations.push({ client: `client ${invoking + 1}`, key: KEY, request, invokedAt: at, invokedAtMs: at }) - 1;
      begun[invoking] = (begun[invoking] ?? 0) + 1;
      continue;
    }
    const answering = proposers.findIndex((_, client) => isAnswerable(client));
    const index = running[answering] ?? -1;
    const operation = operations[index];
    const outcome = proposers[answering]?.performed[ended[answering] ?? 0]?.outcome;
    if (!operation || !outcome) throw new Error('no order of events agrees with what each operation came after');
    operations[index] = { ...operation, returned: { at, atMs: at, outcome } };
    ended[answering] = (ended[answering] ?? 0) + 1;
    running[answering] = undefined;
  }
  return operations;
}
