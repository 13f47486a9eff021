import type { Floor } from '../../src/protocol/acceptor.js';
import { formatBallot } from '../../src/protocol/ballot.js';
import type { Memory } from '../../src/protocol/memory-acceptor.js';
import type { Copied, Remains, Tombstone } from '../../src/redis/acceptor-admin.js';
import { ABSENT, ballotTextIn, type Holding } from '../../src/redis/holding.js';
import { erase, raiseFloor, remainsIn } from '../../src/redis/memory-collection.js';
import { acceptedIn, copyInto, holdingIn } from '../../src/redis/memory-copying.js';
import { MESSAGE_KINDS } from '../simulation/acceptor-message.js';
import { KEY } from './key.js';

/** What a collection or a copying asks of an acceptor. */
export type CollectorMessage =
  | { readonly kind: 'floor' | 'remains' | 'holdings' | 'accepted' }
  | { readonly kind: 'copy'; readonly era: number; readonly registers: readonly Copied[] }
  | { readonly kind: 'raise floor'; readonly floor: Floor }
  | { readonly kind: 'erase'; readonly era: number; readonly tombstones: readonly Tombstone[] };

export type CollectorReply =
  | { readonly told: Floor }
  | { readonly remains: Remains | null }
  | { readonly raised: true }
  | { readonly erased: number }
  | { readonly holding: Holding }
  | { readonly accepted: Copied | null }
  | { readonly held: readonly string[] };

export function isOfCollector(message: { readonly kind: string }): message is CollectorMessage {
  return !MESSAGE_KINDS.some((kind) => kind === message.kind);
}

/** What the product's acceptor does about it. */
export function collectFrom(memory: Memory, message: CollectorMessage): CollectorReply {
  switch (message.kind) {
    case 'floor':
      return { told: memory.floor ?? { era: 0, version: 0 } };
    case 'remains':
      return { remains: remainsIn(memory, KEY) ?? null };
    case 'raise floor':
      raiseFloor(memory, message.floor);
      return { raised: true };
    case 'erase':
      return { erased: erase(memory, message.era, message.tombstones) };
    case 'holdings':
      return { holding: holdingIn(memory, KEY) };
    case 'accepted':
      return { accepted: acceptedIn(memory, KEY) ?? null };
    case 'copy':
      return { held: message.registers.map((register) => copyInto(memory, message.era, register)) };
  }
}

export function describeCollectorMessage(message: CollectorMessage): string {
  if (message.kind === 'raise floor') return `floor of era ${message.floor.era}, version ${message.floor.version}`;
  if (message.kind === 'erase') return `erase ${message.tombstones.map(({ ballot }) => formatBallot(ballot)).join(', ')}`;
  if (message.kind === 'copy') return `copy of ${message.registers.map(({ ballot }) => ballot).join(', ')}`;
  const questions = { floor: 'what is your floor', remains: 'what is left of the key', holdings: 'which ballot', accepted: 'which value' };
  return questions[message.kind];
}

export function describeCollectorReply(reply: CollectorReply): string {
  if ('told' in reply) return `era ${reply.told.era}, version ${reply.told.version}`;
  if ('raised' in reply) return 'raised';
  if ('erased' in reply) return reply.erased > 0 ? 'erased' : 'left';
  if ('holding' in reply) return reply.holding === ABSENT ? 'none' : ballotTextIn(reply.holding);
  if ('accepted' in reply) return reply.accepted ? `that of ${reply.accepted.ballot}` : 'none';
  if ('held' in reply) return `it holds ${reply.held.join(', ')}`;
  if (!reply.remains) return 'nothing';
  const { ballot, version } = reply.remains;
  return version === undefined
    ? `a value under ${formatBallot(ballot)}`
    : `a tombstone of version ${version} under ${formatBallot(ballot)}`;
}
