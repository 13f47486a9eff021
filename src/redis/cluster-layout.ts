import type { Redis } from 'ioredis';
import { UnfitAcceptor } from '../protocol/errors.js';
import { SLOTS, slotOf } from './slot.js';

/** Why a Redis Cluster with replicas is no acceptor. */
export const REPLICATED =
  'this Redis Cluster has replicas, and a failover to one would lose acknowledged writes; take them out: the copies are the other acceptors';
/** For each slot the smallest number that hashes to it. */
const tags = new Map<number, number>();

/**
 * The identity is kept once in each slot: it goes where the slot's registers go, and is lost where they are lost, be it that a node lost its
 * disk or that the slot was given to another one without them.
 */
export function identityKey(slot: number): string {
  for (let tag = 0; tags.size < SLOTS; tag += 1) if (!tags.has(slotOf(String(tag)))) tags.set(slotOf(String(tag)), tag);
  return `identity:{${tags.get(slot) ?? ''}}`;
}

export type ClusterLayout = Awaited<ReturnType<typeof layoutFrom>>;

/**
 * What one node says of its cluster: who owns which slots; and of itself a text that is another one whenever a slot changed hands, with a
 * bracket for each that is about to. Throws {@link UnfitAcceptor} if there are replicas. @param address where the node was reached
 */
export async function layoutFrom(redis: Redis, address: string) {
  const told = String(await redis.cluster('NODES')).trim();
  // What the operator says of the one node in the address map holds for all.
  const options = /\?.*$/.exec(address)?.[0] ?? '';
  const nodes = told.split('\n').map((line) => {
    const [id, endpoint = '', flags = '', , , , epoch, , ...ranges] = line.split(' ');
    if (/slave|replica/.test(flags)) throw new UnfitAcceptor(REPLICATED);
    const isSelf = flags.includes('myself');
    const slots = ranges.filter((range) => !range.startsWith('[')).flatMap(slotsIn);
    return { isSelf, address: isSelf ? address : endpoint.replace(/@.*$/, options), slots, text: [id, epoch, ...ranges].join(' ') };
  });
  return { owners: nodes.filter(({ slots }) => slots.length > 0), self: nodes.find(({ isSelf }) => isSelf) };
}

function slotsIn(range: string): number[] {
  const [first = 0, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
