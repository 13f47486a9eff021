import { UnfitAcceptor } from '../../src/protocol/errors.js';
import type { Nodes } from '../nodes/nodes.js';
import { wentBack } from '../../src/store/greeting.js';
import { acceptorsOf } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import { type Identities, setText, type Transition } from '../safety/guard.js';
import type { Advice, Objection } from '../safety/objection.js';
import type { Step } from '../safety/typed-step.js';

/** The acceptors that cannot help. */
export interface Absence {
  /** They do not answer now, or let nobody in. */
  readonly unreachable: readonly string[];
  /** Of those that let nobody in or are held, by name, why: to start them is of no use. */
  readonly refusals: Readonly<Record<string, string>>;
  /**
   * They answer and are not who the configurations say: they lost their data, were wiped behind the cluster's back, or another Redis answers at
   * their address. No proposer uses them, now or later.
   */
  readonly strangers: readonly string[];
  /** Of strangers whose disk went back, by name, since when. */
  readonly wentBack: Readonly<Record<string, string>>;
}

/** Where the runbook says what to do with acceptors that all went back. */
export const RESTORED = 'A folder or a volume was put back from a copy';

/** Asks acceptors who they are. @param identities of those that have one: the others only have to answer */
export async function absenceAmong(nodes: Nodes, names: readonly string[], identities: Identities): Promise<Absence> {
  const unreachable: string[] = [];
  const strangers: string[] = [];
  const texts: Record<string, string> = {};
  const refusals: Record<string, string> = {};
  const meet = async (name: string): Promise<void> => {
    const known = identities[name];
    const identity = await nodes.withAcceptor(name, (admin) => admin.identity());
    if (known === undefined || identity === known) return;
    strangers.push(name);
    const back = wentBack(identity);
    if (back) texts[name] = back.text;
  };
  const miss = async (name: string, error: unknown): Promise<void> => {
    unreachable.push(name);
    if (error instanceof UnfitAcceptor) refusals[name] = error.message;
    else if (await nodes.heldNotes?.(name)) refusals[name] = 'it is held: the status says why, and what to do';
  };
  await Promise.all(names.map((name) => meet(name).catch((error: unknown) => miss(name, error))));
  const inOrder = (found: readonly string[]): string[] => names.filter((name) => found.includes(name));
  return { unreachable: inOrder(unreachable), refusals, strangers: inOrder(strangers), wentBack: texts };
}

/** Acceptors that cannot be asked, each with the reason if it tells one, and what to do: start them, unless they run and let nobody in. */
export function unreachableObjection({ unreachable, refusals }: Pick<Absence, 'unreachable' | 'refusals'>): Objection {
  const remedy = unreachable.every((name) => name in refusals) ? 'Mend that' : 'Start it';
  return { why: unreachableText(unreachable, refusals), advice: `${remedy} and run the command again` };
}

function unreachableText(unreachable: readonly string[], refusals: Absence['refusals']): string {
  const texts = unreachable.map((name) => (refusals[name] === undefined ? name : `${name} (${refusals[name]})`));
  return `${texts.join(' and ')} cannot be reached`;
}

/** Why strangers are not used, and how they are replaced; nothing if there are none. @param listed all acceptors of the cluster */
export function objectionsTo({ strangers, wentBack }: Pick<Absence, 'strangers' | 'wentBack'>, listed: readonly string[]): Objection[] {
  const [first, ...more] = strangers;
  if (first === undefined) return [];
  const isOne = more.length === 0;
  const { [first]: backText } = wentBack;
  const all = strangers.map((name) => (wentBack[name] === undefined ? name : `${name} (${wentBack[name]})`)).join(' and ');
  const why = !isOne
    ? `${all} lost their data or are other acceptors, and no proposer uses them`
    : `${first}${backText === undefined ? ' lost its data or is another acceptor' : `: ${backText}`}, and no proposer uses it`;
  const others = listed.filter((other) => !strangers.includes(other));
  if (others.length === 0) {
    const [verb, who] = isOne ? ['was', 'it'] : ['were', 'they'];
    const restoring = Object.keys(wentBack).length === 0 ? '' : ` (or see docs/operations.md, "${RESTORED}")`;
    return [{ why, advice: `There ${verb} no other: bring the volume back${restoring}; what ${who} held is nowhere else` }];
  }
  const resize = (acceptors: readonly string[]): Step => ({ verb: 'resize', acceptors });
  const wipes = strangers.map((acceptor): Step => ({ verb: 'wipe-acceptor', acceptor }));
  return [{ why, advice: `To replace ${isOne ? 'it' : 'them'}`, steps: [resize(others), ...wipes, resize(listed)] }];
}

/**
 * The sets that a step would leave without a quorum, or further from one than they are, because some of their acceptors do not answer, or lost
 * their data. The service would stop; and if one that does not answer turns out to have lost its data, what rests on the others could never be
 * found again. Example: of a, b and c, a lost its data while c is down. Without c in the set its quorum is a and b, which never answers again;
 * yet with c down the set has no quorum before the step either. So strangers count by themselves, too.
 *
 * A prepare set whose quorum is lost has no rounds, whatever the accept set: to grow that helps nobody, and notes one more set of acceptors that
 * values may rest on, which no rescan can ever take off the notes again.
 */
export function shortagesOf({ unreachable, refusals, strangers }: Absence, transitions: readonly Transition[]): Objection[] {
  return transitions.flatMap(({ name, before, after }) =>
    (['prepare', 'accept'] as const).flatMap((phase) => {
      const isShorter = (absent: readonly string[]): boolean => shortage(after[phase], absent) > shortage(before[phase], absent);
      const isNow = isShorter([...unreachable, ...strangers]);
      const growsInVain =
        phase === 'prepare' && shortage(after.prepare, strangers) > 0 && after.accept.nodes.length > before.accept.nodes.length;
      if (!isNow && !isShorter(strangers) && !growsInVain) return [];
      const awaited = isNow ? unreachable : [];
      const reasons = [
        ...(awaited.length === 0 ? [] : [unreachableText(awaited, refusals)]),
        ...(strangers.length === 0 ? [] : [`${strangers.join(' and ')} lost the data`]),
      ];
      const toStart = awaited.filter((name) => !(name in refusals));
      const others = acceptorsOf(after).filter((acceptor) => !strangers.includes(acceptor));
      const advice: Advice =
        awaited.length > 0
          ? { advice: toStart.length > 0 ? `First start ${toStart.join(' and ')}` : 'Mend that first' }
          : leavingOut(strangers, others, 'First leave out what is lost');
      return { why: `${name} would ${phase} on ${setText(after[phase])}, which has no quorum: ${reasons.join(', ')}`, ...advice };
    }),
  );
}

/** To go on without acceptors that lost their data. Where nobody is left there is no such step. @param advice what to say before the step */
export function leavingOut(lost: readonly string[], left: readonly string[], advice = 'First'): Advice {
  if (left.length > 0) return { advice, steps: [{ verb: 'resize', acceptors: left }] };
  return { advice: `Bring back the volume of ${lost.join(' or ')}: without ${lost.length === 1 ? 'it' : 'them'} no acceptor is left` };
}

/** How many acceptors a set is short of a quorum. */
export function shortage({ nodes, quorum }: QuorumSet, absent: readonly string[]): number {
  return Math.max(0, quorum - nodes.filter((name) => !absent.includes(name)).length);
}
