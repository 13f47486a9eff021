import { acceptorsOf, type Configuration } from '../../src/protocol/configuration.js';
import { ifNoAnswer } from '../../src/http/client.js';
import type { AcceptorAdmin } from '../../src/redis/acceptor-admin.js';
import type { Member, MemberConfiguration, Nodes } from '../nodes/nodes.js';
import { knownIdentities } from '../safety/identities.js';
import { commandLine, ControlError, type Objection } from '../safety/objection.js';
import type { Step } from '../safety/typed-step.js';

/** A proposer that is none of those in PROPOSERS, as an acceptor knows of it. */
export interface LeftOut {
  readonly number: number;
  /** The highest that it said it had. */
  readonly era: number;
  /** Which acceptor it told. */
  readonly acceptor: string;
}

/**
 * Half of a step leaves proposers an era apart. So one that is an era behind may still run rounds beside those that are asked, and one that is two behind was
 * left behind by a step that was forced, or had no acceptors any more when it last said its era.
 */
const ERAS_APART_MAX = 1;

/** A lane of its own: what a command has to look at over one connection until it acts, is looked at over one that was opened for that. */
const ASIDE = -1;

/**
 * Looks for proposers that run beside those that this control node is told of: a change of the sets would leave them with the sets of before, whose quorums
 * may miss the new ones. Acceptors remember the era that each proposer said it had.
 *
 * One that cannot be asked says nothing, nor does a stranger: its data is of another time or another cluster.
 *
 * @param acceptors to be asked; no proposer need list them
 */
export async function leftOutOf(nodes: Nodes, present: readonly MemberConfiguration[], acceptors: readonly string[]): Promise<LeftOut[]> {
  if (present.length === 0) return [];
  const configurations = present.map(({ configuration }) => configuration);
  const identities = knownIdentities(configurations);
  const era = Math.max(...configurations.map((configuration) => configuration.era));
  const told = await Promise.all(acceptors.map((name) => erasAt(nodes, name, identities[name]).catch(() => undefined)));
  const latest = new Map<number, LeftOut>();
  acceptors.forEach((acceptor, index) => {
    for (const [number, said] of told[index] ?? []) {
      if (said >= era - ERAS_APART_MAX && said > (latest.get(number)?.era ?? -1)) latest.set(number, { number, era: said, acceptor });
    }
  });
  if (latest.size === 0) return [];
  const numbers = (await Promise.all(present.map(({ member }) => numberOf(member)))).filter((number) => number !== undefined);
  for (const number of numbers) latest.delete(number);
  // Who does not say its number has one, too, which acceptors were told as well.
  return latest.size > nodes.members.length - numbers.length ? [...latest.values()].sort((a, b) => a.number - b.number) : [];
}

/** Why nothing is changed; nothing if nobody is left out. @param goOn what goes on without them, with `--force` */
export function leftOutObjections(leftOut: readonly LeftOut[], goOn: Step): Objection[] {
  if (leftOut.length === 0) return [];
  const who = leftOut.map(({ number, era, acceptor }) => `number ${number} (era ${era}, as it told ${acceptor})`).join(' and ');
  return [
    {
      why: `PROPOSERS of this control node leaves a proposer out: ${who}. If it runs it goes on with the sets that it has, and writes are lost`,
      advice: `Name it there. One that is to go is wiped before it is taken out. One that is stopped for good is left behind by: ${commandLine(goOn)} --force`,
    },
  ];
}

/** The sets as they are, under a new era: it changes nothing, and a proposer that is not asked is in an era of the past from then on. */
export function leavingBehind(present: readonly MemberConfiguration[]): Step {
  const [latest] = [...present].sort((a, b) => b.configuration.era - a.configuration.era);
  return { verb: 'copy', from: latest?.member.name ?? 'all', proposers: 'all' };
}

/**
 * For what changes no sets and takes an era all the same. Without it a proposer that is left out would be in an era of the past by the next step.
 * @throws ControlError if a proposer is left out
 */
export async function assertNobodyLeftOut(nodes: Nodes, present: readonly MemberConfiguration[]): Promise<void> {
  const listed = [...new Set(present.flatMap(({ configuration }) => acceptorsOf(configuration)))];
  const [objection] = leftOutObjections(await leftOutOf(nodes, present, listed), leavingBehind(present));
  if (objection) throw new ControlError(`${objection.why}. Nothing was changed`, objection);
}

/**
 * Whether these proposers, which have no acceptors any more, would be taken for some that run if they were left out.
 * @param era of the cluster
 * @param areLeaving they tell acceptors their last era at this moment
 */
export async function seemToRun(
  nodes: Nodes,
  proposers: readonly Member[],
  era: number,
  acceptors: readonly string[],
  areLeaving: boolean,
): Promise<boolean> {
  const told = await Promise.allSettled(acceptors.map((name) => erasAt(nodes, name)));
  if (areLeaving) return told.some((answer) => answer.status === 'rejected' || answer.value !== undefined);
  const known = told.flatMap((answer) => (answer.status === 'fulfilled' && answer.value ? [answer.value] : []));
  if (known.length === 0) return false;
  const numbers = await Promise.all(proposers.map(numberOf));
  return known.some((eras) => numbers.some((number) => (eras.get(number ?? 0) ?? -1) >= era - ERAS_APART_MAX));
}

/** Undefined if it tells nobody, or is not the one that is meant. */
async function erasAt(nodes: Nodes, name: string, identity?: string): Promise<ReadonlyMap<number, number> | undefined> {
  const ask = async (admin: AcceptorAdmin): Promise<ReadonlyMap<number, number> | undefined> => {
    const told = await admin.eras?.();
    if (told === undefined || identity === undefined) return told;
    return (await admin.identity()) === identity ? told : undefined;
  };
  return nodes.withAcceptor(name, ask, ASIDE);
}

/** Undefined if it does not answer. */
async function numberOf({ admin }: Member): Promise<number | undefined> {
  const answer = await admin.identity().catch(ifNoAnswer);
  return answer?.ok ? answer.body.proposer : undefined;
}

/** All acceptors that this control node has heard of. */
export function allAcceptors(nodes: Nodes, configurations: readonly Configuration[]): string[] {
  return [...new Set([...configurations.flatMap(acceptorsOf), ...nodes.acceptors])];
}
