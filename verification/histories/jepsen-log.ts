import { type RecordedOperation, stateToldTo } from '../checkers/history.js';
import { type RegisterEvent, registerEvents } from './register-events.js';

/** What a key holds that does not exist: the log has no other values than whole numbers. */
const NOTHING = 0;

/**
 * The history of one key as lines of Jepsen's log, in the form that Porcupine's tests read: an integer register, which is read, written, and compared
 * and set. Values are numbered in the order of their appearance; 0 is written first, and stands for a key that does not exist.
 *
 * There a `cas` that failed was not at the value that it expected, which is more than is known of one that was refused: that is left out. One that did
 * not match was told what was there, and is a read.
 *
 * @throws RangeError for an add of which nobody was told what it made
 */
export function jepsenLog(history: readonly RecordedOperation[]): string {
  const numbers = new Map<string | null, number>([[null, NOTHING]]);
  const numberOf = (value: string | null): number => {
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  };
  const events = registerEvents(history);
  const line = (process: number, type: string, what: string): string => `INFO  jepsen.util - ${process}\t:${type}\t${what}\n`;
  const first = Math.max(0, ...events.map(({ process }) => process + 1));
  const misses = new Map(events.flatMap(({ type, source }) => (type === 'fail' ? [[source, stateToldTo(source)]] : [])));
  const lines = events.map((event) => {
    const { process, type, source } = event;
    if (misses.has(source)) {
      const told = misses.get(source);
      if (!told) return '';
      return line(process, type === 'fail' ? 'ok' : type, `:read\t${type === 'fail' ? numberOf(told.val ?? null) : 'nil'}`);
    }
    return line(process, type, `:${event.f}\t${type === 'info' ? ':timed-out' : valueText(event, numberOf)}`);
  });
  return [line(first, 'invoke', `:write\t${NOTHING}`), line(first, 'ok', `:write\t${NOTHING}`), ...lines].join('');
}

function valueText({ type, f, value, source }: RegisterEvent, numberOf: (value: string | null) => number): string {
  if (f === 'append' || f === 'add') throw new RangeError(`nobody was told what ${source.client}'s ${f} of ${value} made`);
  if (f === 'cas') return `[${value.map(numberOf).join(' ')}]`;
  return f === 'read' && type === 'invoke' ? 'nil' : String(numberOf(value));
}
