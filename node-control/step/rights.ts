import { ifNoAnswer } from '../../src/http/client.js';
import type { Rights } from '../../src/store/rights.js';
import type { Member } from '../nodes/nodes.js';
import type { Objection } from '../safety/objection.js';

/**
 * Why acceptors may not join: they would refuse what the proposers ask of them. Each proposer looks by itself, for the control node is another user
 * there. One that cannot be asked, or is of a version that does not look, says nothing.
 *
 * @param names of acceptors that no proposer lists yet
 */
export async function rightsObjections(members: readonly Member[], names: readonly string[]): Promise<Objection[]> {
  const asked = names.flatMap((name) => members.map((member) => lookThrough(member, name)));
  const objections = new Map<string, Objection>();
  // Proposers mostly are one user: it is told once.
  for (const objection of (await Promise.all(asked)).flat()) objections.set(objection.why, objection);
  return [...objections.values()];
}

async function lookThrough({ admin }: Member, acceptor: string): Promise<Objection[]> {
  const answer = await admin.rights?.(acceptor).catch(ifNoAnswer);
  return answer?.ok && answer.body ? objectionsTo(acceptor, answer.body) : [];
}

function objectionsTo(acceptor: string, { user, lacking, refusal }: Rights): Objection[] {
  if (refusal !== undefined) {
    const why = `${acceptor} does not let the proposers' user ${user} in (${refusal})`;
    return [{ why, advice: 'Start it with the users.acl that belongs to their password' }];
  }
  if (lacking.length === 0) return [];
  const why = `${acceptor} would refuse what the proposers ask of it: their user ${user} lacks ${lacking.join(', ')}`;
  return [{ why, advice: `ACL SETUSER ${user} ${lacking.join(' ')}, and the same in its users.acl` }];
}
