import type { Configuration } from '../../src/protocol/configuration.js';
import type { AcceptorAdmin } from '../../src/redis/acceptor-admin.js';
import type { Nodes } from '../nodes/nodes.js';

/**
 * Connections to each acceptor: of what comes over one, it takes so little at a time that several share a sync of its disk. Each carries the messages
 * about one part of the keys after the other.
 */
export const LANES = 4;

/** An acceptor that takes part in copying. */
interface Participant {
  readonly identity: string;
  /** The connections over which it was met. */
  readonly lanes: readonly AcceptorAdmin[];
  /** Whether it is one of those whose keys are listed. */
  readonly isSource: boolean;
}

export interface Participants {
  /** By name: those of the accept set, and those to read from. */
  readonly met: ReadonlyMap<string, Participant>;
  /** How many of the sources may fail yet before what they hold is no longer known; below zero if too many could not be met. */
  readonly spare: number;
}

/**
 * Meets the acceptors. Values count only from members, which the sets list or a value may rest on: another one may hold what was deleted and
 * collected since it left.
 *
 * @param configuration of all proposers
 * @param acceptors those that list their keys
 * @param required how many of them any value rests on at least one of
 */
export async function meetParticipants(
  nodes: Nodes,
  configuration: Configuration,
  acceptors: readonly string[],
  required: number,
): Promise<Participants> {
  const { accept, identities: known = {}, resting = [] } = configuration;
  const members = new Set([...Object.values(known), ...resting.flatMap((entry) => entry.nodes)]);
  const participants = new Map<string, Participant>();
  let spare = acceptors.length - required;
  const meet = async (name: string): Promise<void> => {
    const lanes = Array.from({ length: LANES }, (_, lane) =>
      nodes.withAcceptor(name, async (admin) => ({ admin, identity: await admin.identity() }), lane),
    );
    const answers = await Promise.all(lanes);
    const [{ identity } = {}] = answers;
    const isTheOneMeant = known[name] === undefined ? !accept.nodes.includes(name) : identity === known[name];
    if (!isTheOneMeant || identity === undefined || answers.some((lane) => lane.identity !== identity))
      throw new Error('it is not the one that is meant');
    if (!members.has(identity)) return;
    participants.set(name, { identity, lanes: answers.map(({ admin }) => admin), isSource: acceptors.includes(name) });
  };
  const tryToMeet = (name: string): Promise<void> =>
    meet(name).catch(() => {
      if (acceptors.includes(name)) spare -= 1;
    });
  await Promise.all([...new Set([...accept.nodes, ...acceptors])].map(tryToMeet));
  return { met: participants, spare };
}
