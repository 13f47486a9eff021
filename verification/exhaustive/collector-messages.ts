import type { Floor } from '../../src/protocol/acceptor.js';
import { formatBallot } from '../../src/protocol/ballot.js';
import type { Memory } from '../../src/protocol/memory-acceptor.js';
import type { Remains, Tombstone } from '../../src/redis/acceptor-admin.js';
import { erase, raiseFloor, remainsIn } from '../../src/redis/memory-collection.js';
import { KEY } from './messages.js';

/** What a collection asks of an acceptor. */
export type CollectorMessage =
  | { readonly kind: 'floor' | 'remains' }
  | { readonly kind: 'raise floor'; readonly floor: Floor }
  | { readonly kind: 'erase'; readonly era: number; readonly tombstones: readonly Tombstone[] };

export type CollectorReply =
  { readonly told: Floor } | { readonly remains: Remains | null } | { readonly raised: true } | { readonly erased: number };

const KINDS: readonly string[] = ['floor', 'remains', 'raise floor', 'erase'] satisfies CollectorMessage['kind'][];

export function isOfCollector(message: { readonly kind: string }): message is CollectorMessage {
  return KINDS.includes(message.kind);
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
  }
}

export function describeCollectorMessage(message: CollectorMessage): string {
  if (message.kind === 'raise floor') return `floor of era ${message.floor.era}, version ${message.floor.version}`;
  if (message.kind === 'erase') return `erase ${message.tombstones.map(({ ballot }) => formatBallot(ballot)).join(', ')}`;
  return message.kind === 'floor' ? 'what is your floor' : 'what is left of the key';
}

export function describeCollectorReply(reply: CollectorReply): string {
  if ('told' in reply) return `era ${reply.told.era}, version ${reply.told.version}`;
  if ('raised' in reply) return 'raised';
  if ('erased' in reply) return reply.erased > 0 ? 'erased' : 'left';
  if (!reply.remains) return 'nothing';
  const { ballot, version } = reply.remains;
  return version === undefined
    ? `a value under ${formatBallot(ballot)}`
    : `a tombstone of version ${version} under ${formatBallot(ballot)}`;
}
