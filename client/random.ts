/** Numbers from 0 up to, but not including, 1. */
export type Random = () => number;

/** A stream that is the same for the same seed, 0 to 2^32 - 1 (mulberry32): good enough to choose by, not to keep secrets with. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of them, each as likely as the others. */
export function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

/** A stream of its own for each coroutine: what one of them chooses does not depend on how fast the others are. */
export function forkedFrom(random: Random): Random {
  return randomFrom(Math.floor(random() * 2 ** 32));
}
