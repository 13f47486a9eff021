import type { Versioned } from '../src/store/versioned.js';
import { expect } from 'vitest';
import { type Answer, type KeyValueClient, NetworkError } from '../src/http/client.js';

/** What clients that increment were told. */
export interface Tally {
  /** Writes answered with 200 or 201. */
  acknowledged: number;
  /** Writes answered with 504, or not at all: applied or not. */
  unknown: number;
  /** How often each code came, `NetworkError` for none. */
  readonly codes: Map<string, number>;
  /** The longest wait for an answer, in milliseconds. */
  slowestMs: number;
  /** Writes acknowledged, by key. */
  readonly byKey: Map<string, number>;
}

export function newTally(): Tally {
  return { acknowledged: 0, unknown: 0, codes: new Map(), slowestMs: 0, byKey: new Map() };
}

/** Reads a key and writes its value + 1 by compare-and-set, once. True where that was acknowledged. */
export async function increment(client: KeyValueClient, key: string, tally: Tally): Promise<boolean> {
  const read = await timed(() => client.get(key), tally);
  if (!read || (!read.ok && read.code !== 'KeyNotFound')) return false;
  const { ver, val } = read.ok ? read.body : { ver: 0, val: 0 };
  const written = await timed(() => client.put(key, ver, Number(val) + 1), tally);
  if (written?.ok) {
    tally.acknowledged += 1;
    tally.byKey.set(key, (tally.byKey.get(key) ?? 0) + 1);
    return true;
  }
  if (!written || written.code === 'CommitError') tally.unknown += 1;
  return false;
}

/** The value of a counter; 0 where the key does not exist. Waits a bounded time for a cluster that recovers. */
export async function counterOf(client: KeyValueClient, key: string): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    const read = await client.get(key);
    if (read.ok) return Number(read.body.val);
    if (read.code === 'KeyNotFound') return 0;
    if (attempt > 20) throw new Error(`${key} cannot be read: ${read.code} ${read.message}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** All clients see the same: each counter grew by at least what was acknowledged, and all by no more than that and what is unknown. */
export async function expectNothingLost(clients: readonly KeyValueClient[], { byKey, acknowledged, unknown }: Tally): Promise<void> {
  let sum = 0;
  for (const [key, writes] of byKey) {
    const values = await Promise.all(clients.map((client) => counterOf(client, key)));
    expect([key, new Set(values).size]).toEqual([key, 1]);
    expect([key, values[0]]).toEqual([key, Math.max(values[0] ?? 0, writes)]);
    sum += values[0] ?? 0;
  }
  expect(sum).toBeLessThanOrEqual(acknowledged + unknown);
}

/** Writes a key that nobody else writes, however often that takes. */
export async function putForSure(client: KeyValueClient, key: string, val: string): Promise<void> {
  await expect.poll(async () => (await client.put(key, 0, val)).ok || (await client.get(key)).ok, { timeout: 20_000 }).toBe(true);
}

async function timed(request: () => Promise<Answer<Versioned>>, tally: Tally): Promise<Answer<Versioned> | undefined> {
  const startedAt = performance.now();
  let answer: Answer<Versioned> | undefined;
  let code = 'NetworkError';
  try {
    answer = await request();
    code = answer.ok ? String(answer.status) : answer.code;
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    // Nobody there fails at once, for ever: a loop of such would keep the process from anything else.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  tally.slowestMs = Math.max(tally.slowestMs, performance.now() - startedAt);
  tally.codes.set(code, (tally.codes.get(code) ?? 0) + 1);
  return answer;
}
