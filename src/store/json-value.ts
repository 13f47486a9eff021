import { BadRequest } from './errors.js';

/** JSON.parse reads any depth; JSON.stringify overflows the stack from about 4,000 levels on, in the middle of a round. */
const LEVELS_MAX = 1_000;

/** Of whatever realm: that of a page, of a worker. */
const kindOf = (value: object): string => Object.prototype.toString.call(value);
const KINDS: ReadonlySet<string> = new Set(['[object Object]', '[object Array]']);

/**
 * Refuses what would be read back as something else than was written: JSON.stringify makes null of NaN and of infinity (which JSON.parse makes of
 * 1e400), text of a date, nothing of undefined, and an empty object of a map and of the promise that an async change function returns.
 *
 * @throws BadRequest with what is wrong
 */
export function assertJson(value: unknown, levels = LEVELS_MAX): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return;
    throw new BadRequest(
      Number.isNaN(value) ? 'val holds NaN, which JSON cannot' : 'val holds a number that is too large: beyond 1.8e308, send a string',
    );
  }
  if (typeof value !== 'object' || !KINDS.has(kindOf(value)) || ('toJSON' in value && typeof value.toJSON === 'function')) {
    throw new BadRequest('val is to be a JSON value: null, a boolean, a number, a text, or an array or object of these');
  }
  if (levels === 0) throw new BadRequest(`a value is nested at most ${LEVELS_MAX} levels deep`);
  // Of an array each place, for JSON.stringify makes null of the holes that `Object.values` leaves out.
  for (const item of Array.isArray(value) ? value : Object.values(value)) assertJson(item, levels - 1);
}
