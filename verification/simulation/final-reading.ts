import { sleep, type Time } from '../../src/protocol/time.js';
import type { Client } from './client.js';
import type { ProposerNode } from './proposer-node.js';

/** How often each key is read through each proposer, where the network no longer loses anything, before that counts as silence. */
const ATTEMPTS = 20;
/** An earlier round for the key may still wait for its time-out. */
const PAUSE_MS = 100;

export interface FinalReadingOptions {
  readonly time: Time;
  readonly reader: Client;
  readonly keys: readonly string[];
  readonly proposers: readonly ProposerNode[];
  readonly by: 'quorum' | 'round';
}

export interface FinalReading {
  /** By key, what the last proposer says. */
  readonly states: ReadonlyMap<string, { readonly ver: number; readonly val: string | null }>;
  readonly silent: readonly { readonly key: string; readonly proposer: string }[];
}

/** Reads every key through every proposer, when all is mended. */
export async function readAll({ time, reader, keys, proposers, by }: FinalReadingOptions): Promise<FinalReading> {
  const states = new Map<string, { ver: number; val: string | null }>();
  const silent: { key: string; proposer: string }[] = [];
  for (const key of keys) {
    for (const proposer of proposers) {
      let outcome = await reader.get(proposer, key, by);
      for (let attempt = 1; outcome.kind !== 'state' && attempt < ATTEMPTS; attempt += 1) {
        await sleep(time, PAUSE_MS);
        outcome = await reader.get(proposer, key, by);
      }
      if (outcome.kind === 'state') states.set(key, outcome);
      else silent.push({ key, proposer: proposer.name });
    }
  }
  return { states, silent };
}
