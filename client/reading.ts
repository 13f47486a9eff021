import type { Answer, Refusal } from '../src/http/client.js';
import type { Versioned } from '../src/store/versioned.js';
import type { Ledger } from './ledger.js';
import type { NamedProposer, Proposers } from './proposers.js';

/** What a key holds, as far as this client is concerned: 0 where it does not exist. */
export interface Reading {
  readonly ok: true;
  readonly ver: number;
  readonly val: number;
}

/**
 * Reads a key through one proposer, and notes in the ledger what it holds.
 * @returns that, or what refused it
 * @throws NetworkError no answer came
 * @throws NotANumber it holds something else
 */
export async function read(proposers: Proposers, ledger: Ledger, proposer: NamedProposer, key: string): Promise<Reading | Refusal> {
  const answer: Answer<Versioned> = await proposers.ask(proposer, (client) => client.get(key));
  if (answer.ok) return { ok: true, ver: answer.body.ver, val: ledger.saw(key, answer.body.val, answer.body.ver) };
  if (answer.code !== 'KeyNotFound') return answer;
  // Deleted, by somebody else: the next version is the one after that.
  const { deletedVer = 0 } = answer.body as { deletedVer?: number };
  return { ok: true, ver: 0, val: ledger.saw(key, 0, deletedVer) };
}
