import { BadRequest } from './errors.js';

/** @throws BadRequest for halves of characters, of which UTF-8 makes the same bytes: keys that differ would be one register */
export function assertKey(key: string): void {
  if (/\p{Surrogate}/u.test(key)) throw new BadRequest('a key is text: it holds a surrogate without its other half');
}
