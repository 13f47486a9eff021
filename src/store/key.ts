import { BadRequest } from './errors.js';

/** @throws BadRequest for what is no text, and for halves of characters, of which UTF-8 makes the same bytes: keys that differ would be one register */
export function assertKey(key: unknown): asserts key is string {
  // A program without types may give anything.
  if (typeof key !== 'string') throw new BadRequest(`a key is text, not ${typeof key}`);
  if (/\p{Surrogate}/u.test(key)) throw new BadRequest('a key is text: it holds a surrogate without its other half');
}
