/**
 * What the compiled files import that a browser has not; the import map in index.html leads here. Most of it is never called: what the playground
 * runs on are memory acceptors, its own clock and its own identities.
 */

/** As the package does as long as it is not full, and here it never is. */
export function LRUCache() {
  return new Map();
}

/** Of plain values. @param {unknown} a @param {unknown} b @returns {boolean} */
export function isDeepStrictEqual(a, b) {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return left.length === right.length && left.every(([name, value]) => name in b && isDeepStrictEqual(value, Reflect.get(b, name)));
}

/** @returns {never} */
function missing() {
  throw new Error('this is not to be had in a browser');
}

export { missing as Pool, missing as randomBytes };

/** A turn after all promises that are settled: what Node's ticks are to a program that waits for nothing else. */
const { port1, port2 } = new MessageChannel();
/** @type {(() => void)[]} */
const turns = [];
port1.onmessage = () => turns.shift()?.();
/** @param {() => void} turn */
const nextTick = (turn) => {
  turns.push(turn);
  port2.postMessage(undefined);
};
const Buffer = {
  /** @param {string} text */
  byteLength: (text) => new TextEncoder().encode(text).length,
  /** @param {string} text */
  from: (text) => text,
};
Object.assign(globalThis, { process: { nextTick }, setImmediate: nextTick, Buffer });
