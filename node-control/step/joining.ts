import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import type { Nodes } from '../nodes/nodes.js';
import { ControlError, type Objection } from '../safety/objection.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import type { Identities } from '../safety/guard.js';
import { knownIdentities } from '../safety/identities.js';

/** What is known of the acceptors that a step lists, before anything is written. */
export interface Joining {
  readonly identities: Identities;
  /** Those that have their identity in the configurations only once the step is done, by name. */
  readonly newcomers: Identities;
  /** The highest era in the data of those that join with data, 0 where none does. */
  readonly era: number;
  /** What may rest on acceptors, listed or not, that no proposer remembers. */
  readonly resting: readonly QuorumSet[];
  /** Why some may not join. */
  readonly objections: readonly Objection[];
}

/**
 * Looks at every acceptor that a step would list and no proposer lists so far. It must hold nothing, for it has seen no round meanwhile. Only
 * where no proposer can run a round the cluster may start from what it holds.
 */
export async function lookAtJoining(nodes: Nodes, before: readonly Configuration[], after: readonly Configuration[]): Promise<Joining> {
  const known = knownIdentities(before);
  const listed = new Set(before.flatMap(acceptorsOf));
  const identities: Record<string, string> = {};
  const newcomers: Record<string, string> = {};
  const { resting, objections } = await lookAtForgotten(nodes, before);
  let era = 0;
  for (const name of new Set([...before, ...after].flatMap(acceptorsOf))) {
    const joins = !listed.has(name);
    const identity = joins ? undefined : known[name];
    if (identity !== undefined) {
      identities[name] = identity;
      continue;
    }
    try {
      await nodes.withAcceptor(name, async (admin) => {
        const size = joins ? await admin.size() : 0;
        if (size > 0 && before.some(isConfigured)) {
          objections.push({
            why: `${name} holds ${keysText(size)} from before`,
            advice: 'Wipe it first',
            steps: [{ verb: 'wipe-acceptor', acceptor: name }],
          });
        } else if (size > 0) {
          era = Math.max(era, await admin.highestEra());
        }
        newcomers[name] = identities[name] = (await admin.identity()) ?? nodes.newIdentity(name);
      });
    } catch (error) {
      // One that is listed already is taken in when it answers.
      if (joins)
        objections.push({
          why: `${name} cannot be asked whether it is empty, or somebody else adds it at this moment (${reasonOf(error)})`,
          advice: 'Start it where it is down, and run the command again',
        });
    }
  }
  for (const [name, identity] of Object.entries(newcomers)) {
    const twin = Object.keys(identities).find((other) => other !== name && identities[other] === identity);
    if (twin) objections.push({ why: `${name} and ${twin} are one and the same acceptor`, advice: 'Look at their addresses' });
  }
  return { identities, newcomers, era, resting, objections };
}

/**
 * Where every proposer lost its volume, nobody knows the quorums of before: on any acceptor that holds something may rest what no other one
 * has, and the cluster starts from all of them or not at all.
 */
async function lookAtForgotten(
  nodes: Nodes,
  before: readonly Configuration[],
): Promise<Pick<Joining, 'resting'> & { objections: Objection[] }> {
  const resting: QuorumSet[] = [];
  const objections: Objection[] = [];
  if (before.some(({ era }) => era > 0)) return { resting, objections };
  for (const name of nodes.acceptors) {
    try {
      await nodes.withAcceptor(name, async (admin) => {
        if ((await admin.size()) > 0) resting.push({ nodes: [(await admin.identity()) ?? name], quorum: 1 });
      });
    } catch (error) {
      objections.push({
        why: `no proposer remembers anything, and ${name} cannot be asked whether it holds values from before (${reasonOf(error)})`,
        advice: 'Start it and run the command again. If it is gone for good, take it out of ACCEPTORS of the control node',
      });
    }
  }
  return { resting, objections };
}

/** Gives the newcomers their identities. A wipe from now on takes it away, and no proposer then uses them. */
export async function adopt(nodes: Nodes, newcomers: Identities): Promise<void> {
  for (const [name, identity] of Object.entries(newcomers)) {
    let present: string;
    try {
      present = await nodes.withAcceptor(name, (admin) => admin.adopt(identity));
    } catch (error) {
      const why = `${name} stopped answering, or somebody else adds it at this moment (${reasonOf(error)})`;
      throw new ControlError(`${why}. Nothing was changed. Look at the status, and run the command again`);
    }
    if (present !== identity)
      throw new ControlError(`somebody else adds ${name} at this moment. Nothing was changed. Run the command again`);
  }
}

function keysText(count: number): string {
  return `${count} key${count === 1 ? '' : 's'}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
