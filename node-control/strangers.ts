import type { Cluster, Objection } from './cluster.js';
import { acceptorsOf } from '../src/configuration.js';
import type { QuorumSet } from '../src/quorum.js';
import { type Identities, type Plan, setText } from './guard.js';

/**
 * Those of the acceptors that answer and are not who the configurations say: they lost their data, were wiped behind the cluster's back, or
 * another Redis answers at their address. No proposer uses them.
 */
export async function strangersAmong(cluster: Cluster, identities: Identities): Promise<string[]> {
  const entries = Object.entries(identities);
  const present = await Promise.all(
    entries.map(([name, identity]) => cluster.withAcceptor(name, (admin) => admin.identity()).catch(() => identity)),
  );
  return entries.flatMap(([name, identity], index) => (present[index] === identity ? [] : [name]));
}

/** Why strangers are not used, and how they are replaced; nothing where there are none. @param listed all acceptors of the cluster */
export function objectionsTo(strangers: readonly string[], listed: readonly string[]): Objection[] {
  const [first, ...more] = strangers;
  if (first === undefined) return [];
  const others = listed.filter((other) => !strangers.includes(other));
  const resize = (names: readonly string[]): string => `./run-control.sh resize ${names.join(',')}`;
  const wipes = strangers.map((name) => `./run-control.sh wipe-acceptor ${name}`);
  const isOne = more.length === 0;
  return [
    {
      why: isOne
        ? `${first} lost its data or is another acceptor, and no proposer uses it`
        : `${strangers.join(' and ')} lost their data or are other acceptors, and no proposer uses them`,
      advice:
        others.length === 0
          ? `There ${isOne ? 'was' : 'were'} no other: bring the volume back; what it held is nowhere else`
          : `To replace ${isOne ? 'it' : 'them'}: ${[resize(others), ...wipes, resize(listed)].join('; ')}`,
    },
  ];
}

/** Those that cannot help now: they do not answer, or are strangers. */
export async function absentAmong(cluster: Cluster, names: readonly string[], identities: Identities): Promise<string[]> {
  const helps = await Promise.all(
    names.map((name) =>
      cluster
        .withAcceptor(name, (admin) => admin.identity())
        .then(
          (identity) => identities[name] === undefined || identity === identities[name],
          () => false,
        ),
    ),
  );
  return names.filter((_, index) => !helps[index]);
}

/**
 * The sets that a step would leave without a quorum, or further from one than they are, because some of their acceptors do not answer, or lost their data. The service would stop; and
 * where one that does not answer turns out to have lost its data, what rests on the others could never be found again.
 *
 * @param identities of the listed acceptors that got theirs in earlier steps
 */
export async function shortagesOf(cluster: Cluster, plans: readonly Plan[], identities: Identities): Promise<Objection[]> {
  const listed = [...new Set(plans.flatMap(({ before }) => acceptorsOf(before)))];
  const [absent, strangers] = await Promise.all([absentAmong(cluster, listed, identities), strangersAmong(cluster, identities)]);
  const shortage = ({ nodes, quorum }: QuorumSet): number => Math.max(0, quorum - nodes.filter((name) => !absent.includes(name)).length);
  const lost = absent.filter((name) => strangers.includes(name));
  const silent = absent.filter((name) => !strangers.includes(name));
  const reasons = [
    ...(silent.length === 0 ? [] : [`${silent.join(' and ')} cannot be reached`]),
    ...(lost.length === 0 ? [] : [`${lost.join(' and ')} lost the data`]),
  ];
  return plans.flatMap(({ name, before, after }) =>
    (['prepare', 'accept'] as const)
      .filter((phase) => shortage(after[phase]) > shortage(before[phase]))
      .map((phase) => ({
        why: `${name} would ${phase} on ${setText(after[phase])}, which has no quorum: ${reasons.join(', ')}`,
        advice:
          silent.length > 0
            ? `First start ${silent.join(' and ')}`
            : `First leave out what is lost: ./run-control.sh resize ${acceptorsOf(after)
                .filter((acceptor) => !lost.includes(acceptor))
                .join(',')}`,
      })),
  );
}
