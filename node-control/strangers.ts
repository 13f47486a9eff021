import type { Cluster, Objection } from './cluster.js';
import type { Identities } from './guard.js';

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

/** Why a stranger is not used, and how it is replaced. @param listed all acceptors of the cluster */
export function objectionTo(stranger: string, listed: readonly string[]): Objection {
  const others = listed.filter((other) => other !== stranger);
  const resize = (names: readonly string[]): string => `./run-control.sh resize ${names.join(',')}`;
  return {
    why: `${stranger} lost its data or is another acceptor, and no proposer uses it`,
    advice:
      others.length === 0
        ? 'It was the only one: bring its volume back; what it held is nowhere else'
        : `To replace it: ${resize(others)}; ./run-control.sh wipe-acceptor ${stranger}; ${resize(listed)}`,
  };
}
