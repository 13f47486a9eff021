import { Redis } from 'ioredis';
import { splitAddress } from '../../src/node/addresses.js';

const PIPELINE_KEYS = 5_000;
/** As operations leave them: a value of 100 bytes. */
const VALUE = JSON.stringify({ ver: 1, val: 'x'.repeat(70), ops: ['1.kq3x0v7t.1'] });

export function keyNumber(number: number): string {
  return `key-${String(number).padStart(9, '0')}`;
}

/** Puts registers straight into an acceptor: as if a proposer had written them in era 1. @param onKeys called with the number of keys so far */
export async function fill(address: string, count: number, onKeys: (done: number) => void, signal: AbortSignal): Promise<void> {
  const redis = new Redis(splitAddress(address));
  try {
    for (let from = 0; from < count; from += PIPELINE_KEYS) {
      signal.throwIfAborted();
      const pipeline = redis.pipeline();
      for (let number = from; number < Math.min(count, from + PIPELINE_KEYS); number += 1) {
        pipeline.hset(`r:${keyNumber(number)}`, 'promise', '1.2.1.1', 'ballot', '1.1.1.1', 'value', VALUE);
      }
      await pipeline.exec();
      onKeys(Math.min(count, from + PIPELINE_KEYS));
    }
  } finally {
    redis.disconnect();
  }
}
