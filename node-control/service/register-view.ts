import { compareBallots, parseBallot } from '../../src/ballot.js';
import type { Configuration } from '../../src/configuration.js';
import { containsQuorum } from '../../src/quorum.js';
import type { Register } from '../../src/redis-admin.js';
import { knownIdentities } from '../joining.js';
import type { Nodes } from '../settings.js';
import type { RegisterView } from './snapshot.js';

const VALUE_MAX_LENGTH = 200;

interface Held {
  readonly acceptor: string;
  readonly state?: 'gone' | 'stranger';
  readonly register?: Register;
}

/** What each acceptor holds for a key, and which of the accepted values is chosen. */
export async function lookAtKey({ proposers, acceptors, connections }: Nodes, key: string): Promise<RegisterView[]> {
  const configurations = (await Promise.all(proposers.map((name) => configurationOf(connections, name)))).flatMap((one) => one ?? []);
  const identities = knownIdentities(configurations);
  const held = await Promise.all(
    acceptors.map(async (acceptor): Promise<Held> => {
      const admin = connections.acceptor(acceptor);
      try {
        await admin.connect();
        const [register, identity] = await Promise.all([admin.register(key), admin.identity()]);
        const isMeant = identities[acceptor] === undefined || identities[acceptor] === identity;
        return isMeant ? { acceptor, register } : { acceptor, state: 'stranger' };
      } catch {
        return { acceptor, state: 'gone' };
      } finally {
        admin.close();
      }
    }),
  );
  const chosen = chosenBallot(held, configurations);
  return held.map(({ register, ...who }) =>
    register
      ? {
          ...who,
          register: { ...shown(register), standing: isSame(register.ballot, chosen) ? ('chosen' as const) : ('minority' as const) },
        }
      : who,
  );
}

/**
 * The highest ballot that the members of a whole accept quorum hold. What is accepted above it, on fewer acceptors, may be chosen yet,
 * or never.
 */
export function chosenBallot(held: readonly Held[], configurations: readonly Configuration[]): string | undefined {
  const ballots = [...new Set(held.flatMap(({ register }) => register?.ballot || []))];
  const onQuorum = (ballot: string): boolean => {
    const holders = held.filter(({ register }) => isSame(register?.ballot, ballot)).map(({ acceptor }) => acceptor);
    return configurations.some(({ accept }) => containsQuorum(accept, holders));
  };
  return ballots.filter(onQuorum).sort((a, b) => compareBallots(parseBallot(b), parseBallot(a)))[0];
}

function isSame(ballot: string | null | undefined, other: string | undefined): boolean {
  return other !== undefined && ballot === other;
}

function shown({ promise, ballot, value }: Register): { promise: string; ballot: string; value: string; version: number } {
  // As the proposers store it; an empty register has none.
  const { ver, val } = value ? (JSON.parse(value) as { ver: number; val: unknown }) : { ver: 0, val: null };
  const text = ver === 0 ? '' : JSON.stringify(val);
  return {
    promise: promise ?? '',
    ballot: ballot ?? '',
    value: text.length > VALUE_MAX_LENGTH ? `${text.slice(0, VALUE_MAX_LENGTH)}…` : text,
    version: ver,
  };
}

async function configurationOf(connections: Nodes['connections'], name: string): Promise<Configuration | undefined> {
  const admin = connections.proposer(name);
  try {
    const answer = await admin.configuration();
    return answer.ok ? answer.body : undefined;
  } catch {
    return undefined;
  } finally {
    await admin.close();
  }
}
