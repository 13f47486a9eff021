import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import { wentBack } from '../../src/store/greeting.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import type { AcceptorAdmin } from '../../src/redis/acceptor-admin.js';
import { type Flaw, UNCHECKED, UNCOPIED } from '../../src/redis/fitness.js';
import type { Nodes } from '../nodes/nodes.js';
import type { Identities } from '../safety/guard.js';
import { knownIdentities } from '../safety/identities.js';
import { RESTORED } from './absence.js';
import { floorOf, membersOf, NO_FLOOR } from './floors.js';
import { type Advice, ControlError, keysText, type Objection, reasonOf } from '../safety/objection.js';

/** An acceptor that has its identity in the configurations only once the step is done. */
interface Newcomer {
  readonly identity: string;
  /** The connection over which it was looked at. */
  readonly admin: AcceptorAdmin;
}

/** What is known of the acceptors that a step lists, before anything is written. */
export interface Joining {
  readonly identities: Identities;
  /** By name. */
  readonly newcomers: Readonly<Record<string, Newcomer>>;
  /** The highest era that those that join without a proposer that serves have seen, 0 if none has seen any. */
  readonly era: number;
  /** What may rest on acceptors, listed or not, that no proposer remembers. */
  readonly resting: readonly QuorumSet[];
  /** What the operator vouches for in place of a look at the settings of those that join: it is recorded as what is forced is. */
  readonly vouched: readonly string[];
  /** What an operator should know of those that join all the same. */
  readonly remarks: readonly string[];
  /** Why some may not join. */
  readonly objections: readonly Objection[];
}

/**
 * Looks at every acceptor that a step would list and no proposer lists so far. It must hold nothing, for it has seen no round meanwhile. Only
 * if no proposer can run a round the cluster may start from what it holds.
 */
export async function lookAtJoining(nodes: Nodes, before: readonly Configuration[], after: readonly Configuration[]): Promise<Joining> {
  const known = knownIdentities(before);
  const listed = new Set(before.flatMap(acceptorsOf));
  const identities: Record<string, string> = {};
  const vouched: string[] = [];
  const remarks: string[] = [];
  const newcomers: Record<string, Newcomer> = {};
  const { resting, objections } = await lookAtForgotten(nodes, before);
  // Where no proposer runs rounds, what was collected is known from the acceptors alone.
  const isServed = before.some(isConfigured);
  const floor = isServed ? NO_FLOOR : ((await floorOf(nodes, before, [])) ?? NO_FLOOR);
  const members = membersOf(before);
  let { era } = floor;
  for (const name of new Set([...before, ...after].flatMap(acceptorsOf))) {
    const joins = !listed.has(name);
    const identity = joins ? undefined : known[name];
    if (identity !== undefined) {
      identities[name] = identity;
      continue;
    }
    try {
      await nodes.withAcceptor(name, async (admin) => {
        const fitness = joins ? await admin.fitness?.('no file') : undefined;
        objections.push(...(fitness?.flaws ?? []).map((flaw) => unfit(name, flaw)));
        if (fitness?.cautions.some((caution) => caution.endsWith(UNCHECKED))) vouched.push(`${name}: ${UNCHECKED}`);
        remarks.push(...(fitness?.cautions ?? []).filter((caution) => caution.includes(UNCOPIED)).map((caution) => `${name}: ${caution}`));
        const size = joins ? await admin.size() : 0;
        const present = await admin.identity();
        if (size > 0 && isServed) objections.push(notEmpty(name, size));
        else if (joins && !isServed) {
          era = Math.max(era, await admin.highestEra());
          const isBehind = (await admin.floor()).era < floor.era && !members.has(present ?? '');
          if (size > 0 && isBehind) objections.push(beforeCollection(name, size));
        }
        const back = wentBack(present);
        // Under that identity nobody ever used it, and nobody is to begin.
        if (back) objections.push({ why: `${name}: ${back.text}`, ...(isServed ? wiping(name) : RESTORING) });
        identities[name] = present ?? nodes.newIdentity(name);
        newcomers[name] = { identity: identities[name], admin };
      });
    } catch (error) {
      // One that is listed already is taken in when it answers.
      if (joins) objections.push(notAsked(name, error));
    }
  }
  return { identities, newcomers, era, resting, vouched, remarks, objections: [...objections, ...twins(newcomers, identities)] };
}

function unfit(name: string, { setting, value, mend }: Flaw): Objection {
  return { why: `${name} is unfit: ${setting} is ${value}`, advice: mend };
}

/** It would bring back what the members of the cluster have removed as deleted. */
function beforeCollection(name: string, size: number): Objection {
  return { why: `${name} holds ${keysText(size)} from before a collection that it had no part in`, ...wiping(name) };
}

function notEmpty(name: string, size: number): Objection {
  return { why: `${name} holds ${keysText(size)} from before`, ...wiping(name) };
}

const wiping = (acceptor: string): Advice => ({ advice: 'Wipe it first', steps: [{ verb: 'wipe-acceptor', acceptor }] });

/** Where no proposer serves, what went back may be all that there is: the last copies. */
const RESTORING: Advice = { advice: `Begin without it, or with what it holds as docs/operations.md says ("${RESTORED}")` };

function notAsked(name: string, error: unknown): Objection {
  return {
    why: `${name} cannot be asked whether it is empty, or somebody else adds it at this moment (${reasonOf(error)})`,
    advice: 'Start it where it is down, and run the command again',
  };
}

function twins(newcomers: Joining['newcomers'], identities: Identities): Objection[] {
  return Object.entries(newcomers).flatMap(([name, { identity }]) => {
    const twin = Object.keys(identities).find((other) => other !== name && identities[other] === identity);
    return twin ? [{ why: `${name} and ${twin} are one and the same acceptor`, advice: 'Look at their addresses' }] : [];
  });
}

/**
 * If every proposer lost its volume, nobody knows the quorums of before: on any acceptor that holds something may rest what no other one
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
        advice:
          'Start it where it is down, and run the command again. If it is gone for good, take it out of ACCEPTORS of the control node',
      });
    }
  }
  return { resting, objections };
}

/**
 * Gives the newcomers their identities, each over the connection over which it was seen to be empty. Example: it was looked at, then another
 * operator let it join, wrote a value to it and took it out again. That one closed this connection, so what was seen is not acted on. A wipe
 * from now on takes the identity away, and no proposer then uses the acceptor.
 */
export async function adopt(newcomers: Joining['newcomers']): Promise<void> {
  for (const [name, { identity, admin }] of Object.entries(newcomers)) {
    let present: string;
    try {
      present = await admin.adopt(identity);
    } catch (error) {
      const why = `${name} stopped answering, or somebody else adds it at this moment (${reasonOf(error)})`;
      throw new ControlError(`${why}. Nothing was changed. Look at the status, and run the command again`);
    }
    if (present !== identity)
      throw new ControlError(`somebody else adds ${name} at this moment. Nothing was changed. Run the command again`);
  }
}
