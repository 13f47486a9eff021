import { StrangerError } from '../../src/protocol/errors.js';
import { expect, vi } from 'vitest';
import { type Acceptor } from '../../src/protocol/acceptor.js';
import type { Ballot } from '../../src/protocol/ballot.js';
import type { LinkState } from '../../src/redis/link-options.js';
import { RedisAcceptor } from '../../src/redis/redis-acceptor.js';

export const TIMEOUT_MS = 300;
/** Far more than any change may take. */
export const HANG_MS = 5_000;
export const ME = 'acceptor-1:6379#me';
export const b = (counter: number): Ballot => ({ era: 1, counter, proposer: 1, incarnation: 1 });

export const messages: [string, (to: Acceptor, key: string) => Promise<unknown>][] = [
  ['prepare', (to, key) => to.prepare(key, b(7))],
  ['accept', (to, key) => to.accept(key, b(7), 'w', b(8))],
  ['read', (to, key) => to.read(key)],
];

const acceptors: RedisAcceptor[] = [];

export interface Watched {
  readonly acceptor: RedisAcceptor;
  /** All that it told of itself, but that a server still reads its file: one that has just started may be asked before it has, or not. */
  readonly states: LinkState[];
}

export function meaning(identity: string | undefined, address: string): Watched {
  const states: LinkState[] = [];
  const onState = (state: LinkState): unknown => state !== 'loading' && states.push(state);
  const acceptor = new RedisAcceptor({ address, identity, timeoutMs: TIMEOUT_MS, onState });
  acceptors.push(acceptor);
  return { acceptor, states };
}

export async function becomes(acceptor: { readonly state: LinkState }, state: LinkState): Promise<void> {
  await vi.waitFor(() => expect(acceptor.state).toBe(state), { timeout: HANG_MS, interval: 5 });
}

export async function refusesAll(acceptor: Acceptor, words = /not acceptor-1:6379#me$/): Promise<void> {
  for (const [, send] of messages) {
    const refused = send(acceptor, 'any key');
    await expect(refused).rejects.toThrow(StrangerError);
    await expect(refused).rejects.toThrow(words);
  }
}

/** For `afterEach`. */
export function closeAll(): void {
  for (const acceptor of acceptors.splice(0)) acceptor.close();
}
