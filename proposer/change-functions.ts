import mergePatch from 'json8-merge-patch';
import { PayloadTooLarge } from '../src/http/errors.js';
import { assertJson } from '../src/store/json-value.js';
import { BadRequest, ChangeRefused } from '../src/store/errors.js';
import type { JsonChange } from '../src/store/write.js';
import { VALUE_MAX_BYTES } from './limits.js';

/** What is to be written: a value, or what a change function makes of the present one. */
type Next = { readonly val: unknown } | { readonly change: JsonChange };

/**
 * The change functions that clients may ask for, by the member of the request that names them and holds the argument; `POST /kv/:key` takes one
 * of them. A new one is a line more here. The argument is any JSON value, and what does not fit is a `BadRequest`; a value that the change
 * does not fit is a `ChangeRefused`. What a function makes depends on nothing but its argument and the present value.
 */
export const CHANGE_FUNCTIONS: Readonly<Record<string, (argument: unknown) => Next>> = {
  set: (argument) => ({ val: assertSize(argument) }),
  add: (argument) => changing((val, exists) => sum(exists ? val : 0, asNumber(argument)), asNumber(argument)),
  append: (argument) => changing((val, exists) => (exists ? appended(val, argument) : argument), asAppendable(argument)),
  merge: (argument) => changing((val) => merged(val, argument), merged({}, argument)),
};

/**
 * @throws BadRequest it is nested too deeply, or holds what JSON cannot
 * @throws PayloadTooLarge it has more bytes of JSON than a value may have
 */
export function assertSize(val: unknown): unknown {
  // Before it is written out, which one that is nested too deeply cannot be.
  assertJson(val);
  if (Buffer.byteLength(JSON.stringify(val)) <= VALUE_MAX_BYTES) return val;
  throw new PayloadTooLarge(`a value has at most ${VALUE_MAX_BYTES} bytes of JSON`);
}

/** Holds what a change makes to the size that a value may have: nobody needs to send much for it. @param argument that was looked at */
function changing(change: JsonChange, argument: unknown): Next {
  assertSize(argument);
  return {
    change(val, exists) {
      const next = change(val, exists);
      const bytes = Buffer.byteLength(JSON.stringify(next));
      if (bytes <= VALUE_MAX_BYTES) return next;
      throw new ChangeRefused(`the value would have ${bytes} bytes of JSON, and may have ${VALUE_MAX_BYTES}`);
    },
  };
}

function asNumber(argument: unknown): number {
  if (typeof argument === 'number') return argument;
  throw new BadRequest(`add takes a number, not ${kindOf(argument)}`);
}

function sum(val: unknown, argument: number): number {
  if (typeof val !== 'number') throw new ChangeRefused(`add needs a number, and the key holds ${kindOf(val)}`);
  const next = val + argument;
  // Beyond that a sum may be the same as before, and a count would stand still.
  if (Math.abs(next) <= Number.MAX_SAFE_INTEGER) return next;
  throw new ChangeRefused(`${val} and ${argument} make more than a number can tell exactly`);
}

function asAppendable(argument: unknown): unknown {
  if (typeof argument === 'string' || Array.isArray(argument)) return argument;
  throw new BadRequest(`append takes a text or a list, not ${kindOf(argument)}`);
}

function appended(val: unknown, argument: unknown): unknown {
  if (typeof val === 'string' && typeof argument === 'string') return val + argument;
  if (Array.isArray(val) && Array.isArray(argument)) return [...(val as unknown[]), ...(argument as unknown[])];
  throw new ChangeRefused(`append joins two texts or two lists, and the key holds ${kindOf(val)}`);
}

/** RFC 7396. The library changes what it is given. */
function merged(val: unknown, argument: unknown): unknown {
  try {
    return mergePatch.apply(structuredClone(val), structuredClone(argument));
  } catch {
    throw new BadRequest('merge takes no member with the name __proto__');
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  const kinds: Readonly<Record<string, string>> = { string: 'a text', number: 'a number', boolean: 'a boolean' };
  return kinds[typeof value] ?? 'an object';
}
