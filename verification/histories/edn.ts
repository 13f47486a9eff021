import { type RecordedOperation, stateToldTo } from '../checkers/history.js';
import { type RegisterEvent, registerEvents } from './register-events.js';

const NANOSECONDS_IN_MS = 1_000_000;

/**
 * The history of one key as EDN, an operation map in each line: what Jepsen, Knossos (as a `cas-register`) and Elle's command line read. Versions and
 * reasons stand beside what these tools look at.
 */
export function ednHistory(history: readonly RecordedOperation[]): string {
  const isNumeric = history.some(({ request }) => request.kind === 'add');
  const valueText = (value: RegisterEvent['value']): string => {
    if (value === null) return 'nil';
    if (typeof value === 'string') return isNumeric && /^\d+$/.test(value) ? value : JSON.stringify(value);
    return `[${value.map(valueText).join(' ')}]`;
  };
  return registerEvents(history)
    .map((event, index) => {
      const { type, f, value, process, atMs, source } = event;
      const told = type === 'invoke' ? undefined : stateToldTo(source);
      const pairs = {
        type: `:${type}`,
        f: `:${f}`,
        value: valueText(value),
        process,
        time: Math.round(atMs * NANOSECONDS_IN_MS),
        index,
        client: JSON.stringify(source.client),
        ...(type === 'ok' && told && { version: told.ver }),
        ...(type === 'fail' && { error: told ? `[:mismatch ${told.ver} ${valueText(told.val ?? null)}]` : ':refused' }),
        ...(type === 'info' && { error: ':unknown' }),
      };
      return `{${Object.entries(pairs)
        .map(([name, text]) => `:${name} ${text}`)
        .join(', ')}}\n`;
    })
    .join('');
}
