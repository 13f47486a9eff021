import type { Nodes } from '../nodes/nodes.js';
import type { Objection } from '../safety/objection.js';
import { acceptorsOf } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import { type Identities, type Transition, setText } from '../safety/guard.js';
import type { Step } from '../safety/typed-step.js';

/** The acceptors that cannot help. */
export interface Absence {
  /** They do not answer now. */
  readonly silent: readonly string[];
  /**
   * They answer and are not who the configurations say: they lost their data, were wiped behind the cluster's back, or another Redis answers at
   * their address. No proposer uses these strangers, now or later.
   */
  readonly lost: readonly string[];
}

/** Asks acceptors who they are. @param identities of those that have one: the others only have to answer */
export async function absenceAmong(nodes: Nodes, names: readonly string[], identities: Identities): Promise<Absence> {
  const silent: string[] = [];
  const lost: string[] = [];
  const meet = async (name: string): Promise<void> => {
    const known = identities[name];
    const identity = await nodes.withAcceptor(name, (admin) => admin.identity());
    if (known !== undefined && identity !== known) lost.push(name);
  };
  await Promise.all(names.map((name) => meet(name).catch(() => silent.push(name))));
  const inOrder = (found: readonly string[]): string[] => names.filter((name) => found.includes(name));
  return { silent: inOrder(silent), lost: inOrder(lost) };
}

/** Why strangers are not used, and how they are replaced; nothing where there are none. @param listed all acceptors of the cluster */
export function objectionsTo(strangers: readonly string[], listed: readonly string[]): Objection[] {
  const [first, ...more] = strangers;
  if (first === undefined) return [];
  const others = listed.filter((other) => !strangers.includes(other));
  const resize = (acceptors: readonly string[]): Step => ({ verb: 'resize', acceptors });
  const wipes = strangers.map((acceptor): Step => ({ verb: 'wipe-acceptor', acceptor }));
  const isOne = more.length === 0;
  return [
    {
      why: isOne
        ? `${first} lost its data or is another acceptor, and no proposer uses it`
        : `${strangers.join(' and ')} lost their data or are other acceptors, and no proposer uses them`,
      ...(others.length === 0
        ? { advice: `There ${isOne ? 'was' : 'were'} no other: bring the volume back; what it held is nowhere else` }
        : { advice: `To replace ${isOne ? 'it' : 'them'}`, steps: [resize(others), ...wipes, resize(listed)] }),
    },
  ];
}

/**
 * The sets that a step would leave without a quorum, or further from one than they are, because some of their acceptors do not answer, or lost their data. The service would stop; and
 * where one that does not answer turns out to have lost its data, what rests on the others could never be found again. What is lost counts by
 * itself, too: one that is only silent today must not hide that the set could never have a quorum again.
 *
 * @param identities of the listed acceptors that got theirs in earlier steps
 */
export async function shortagesOf(nodes: Nodes, transitions: readonly Transition[], identities: Identities): Promise<Objection[]> {
  const listed = [...new Set(transitions.flatMap(({ before }) => acceptorsOf(before)))];
  const { silent, lost } = await absenceAmong(nodes, listed, identities);
  return transitions.flatMap(({ name, before, after }) =>
    (['prepare', 'accept'] as const).flatMap((phase) => {
      const isShorter = (gone: readonly string[]): boolean => shortage(after[phase], gone) > shortage(before[phase], gone);
      const isNow = isShorter([...silent, ...lost]);
      if (!isNow && !isShorter(lost)) return [];
      const awaited = isNow ? silent : [];
      const reasons = [
        ...(awaited.length === 0 ? [] : [`${awaited.join(' and ')} cannot be reached`]),
        ...(lost.length === 0 ? [] : [`${lost.join(' and ')} lost the data`]),
      ];
      const others = acceptorsOf(after).filter((acceptor) => !lost.includes(acceptor));
      return {
        why: `${name} would ${phase} on ${setText(after[phase])}, which has no quorum: ${reasons.join(', ')}`,
        ...(awaited.length > 0
          ? { advice: `First start ${awaited.join(' and ')}` }
          : { advice: 'First leave out what is lost', steps: [{ verb: 'resize', acceptors: others }] }),
      };
    }),
  );
}

/** How many acceptors a set is short of a quorum. */
export function shortage({ nodes, quorum }: QuorumSet, gone: readonly string[]): number {
  return Math.max(0, quorum - nodes.filter((name) => !gone.includes(name)).length);
}
