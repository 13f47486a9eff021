/**
 * What the compiled files import that a browser has not; the import map in index.html leads here. Most of it is never called: what the playground
 * runs on are memory acceptors, its own clock and its own identities.
 */

/** As the package does as long as it is not full, and here it never is. */
export function LRUCache(): Map<unknown, unknown> {
  return new Map();
}

/** Of plain values. */
export function isDeepStrictEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return left.length === right.length && left.every(([name, value]) => name in b && isDeepStrictEqual(value, Reflect.get(b, name)));
}

function missing(): never {
  throw new Error('this is not to be had in a browser');
}

export { missing as Pool, missing as randomBytes };

/** A turn after all promises that are settled: what Node's ticks are to a program that waits for nothing else. */
const { port1, port2 } = new MessageChannel();
const turns: (() => void)[] = [];
port1.onmessage = () => turns.shift()?.();
const nextTick = (turn: () => void): void => {
  turns.push(turn);
  port2.postMessage(undefined);
};
const Buffer = {
  byteLength: (text: string) => new TextEncoder().encode(text).length,
  from: (text: string) => text,
};
Object.assign(globalThis, { process: { nextTick }, setImmediate: nextTick, Buffer });
