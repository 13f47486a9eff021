import type { Floor } from '../../../src/protocol/acceptor.js';
import { compareBallots, parseBallot } from '../../../src/protocol/ballot.js';
import type { Configuration } from '../../../src/protocol/configuration.js';
import { containsQuorum, type QuorumSet } from '../../../src/protocol/quorum.js';
import type { RegisterText } from '../../../src/redis/redis-admin.js';
import { saysLoading } from '../../nodes/connections.js';
import { knownIdentities } from '../../safety/identities.js';
import type { NodeSettings } from '../../nodes/settings.js';
import type { RegisterView } from './snapshot.js';

const VALUE_MAX_LENGTH = 200;

/** The text of a register that was written to. */
interface Stored {
  readonly ver: number;
  readonly val: unknown;
  readonly deleted?: true;
}

type Standing = NonNullable<RegisterView['register']>['standing'];

interface HeldRegister {
  readonly acceptor: string;
  readonly identity?: string | undefined;
  readonly state?: RegisterView['state'];
  readonly register?: RegisterText;
  readonly floor?: Floor;
}

/** What each acceptor holds for a key, and which of the accepted values is chosen. */
export async function lookAtKey({ proposers, acceptors, connections }: NodeSettings, key: string): Promise<RegisterView[]> {
  const configurations = (await Promise.all(proposers.map((name) => configurationOf(connections, name)))).flatMap((one) => one ?? []);
  const identities = knownIdentities(configurations);
  const held = await Promise.all(
    acceptors.map(async (acceptor): Promise<HeldRegister> => {
      const admin = connections.acceptor(acceptor);
      try {
        await admin.connectUnlessLoading();
        const [register, identity, floor] = await Promise.all([admin.register(key), admin.identity(), admin.floor()]);
        const isMeant = identities[acceptor] === undefined || identities[acceptor] === identity;
        return isMeant ? { acceptor, identity, floor, register } : { acceptor, state: 'stranger' };
      } catch (error) {
        return { acceptor, state: saysLoading(error) ? 'loading' : 'gone' };
      } finally {
        admin.close();
      }
    }),
  );
  const standing = standingAmong(held, configurations);
  return held.map(({ acceptor, state, floor, register }): RegisterView => {
    if (!register) return { acceptor, ...(state && { state }) };
    return {
      acceptor,
      ...(floor && floor.era > 0 && { floor }),
      register: { ...shown(register), standing: standing(register.ballot || undefined) },
    };
  });
}

/**
 * What an accepted value is beside those of the other acceptors. The chosen one is of the highest ballot that the members of a whole accept quorum
 * hold, of the present sets or of those that values may rest on still. What is accepted above it, on fewer acceptors, may be chosen yet, or never.
 */
function standingAmong(held: readonly HeldRegister[], configurations: readonly Configuration[]): (ballot: string | undefined) => Standing {
  const present = configurations.map(({ accept }) => accept);
  const earlier = configurations.flatMap(({ resting = [] }) => resting);
  const leastEra = Math.min(...configurations.map(({ era }) => era));
  const silent = held.filter(({ state }) => state === 'gone' || state === 'loading').map(({ acceptor }) => acceptor);
  const isOn = (sets: readonly QuorumSet[], nodes: readonly string[]): boolean => sets.some((set) => containsQuorum(set, nodes));
  const holders = (ballot: string): string[] =>
    held.filter(({ register }) => register?.ballot === ballot).flatMap(({ acceptor, identity }) => [acceptor, identity ?? []].flat());
  // In the present era nobody accepts by earlier sets any more.
  const isChosenEarlier = (ballot: string): boolean => parseBallot(ballot).era < leastEra && isOn(earlier, holders(ballot));

  const ballots = [...new Set(held.flatMap(({ register }) => register?.ballot || []))];
  const [chosen] = ballots
    .filter((ballot) => isOn(present, holders(ballot)) || isChosenEarlier(ballot))
    .map(parseBallot)
    .sort((a, b) => compareBallots(b, a));
  return (ballot) => {
    if (ballot === undefined) return 'minority';
    const height = chosen ? compareBallots(parseBallot(ballot), chosen) : 1;
    if (height < 0) return 'older';
    if (height === 0) return isOn(present, holders(ballot)) ? 'chosen' : 'earlier';
    const mayBe = configurations.length === 0 || isOn(present, [...holders(ballot), ...silent]);
    return mayBe ? 'unknown' : 'minority';
  };
}

function shown({ promise, ballot, value }: RegisterText): Omit<NonNullable<RegisterView['register']>, 'standing'> {
  // As the proposers store it; an empty register has none.
  const { ver, val, deleted: isDeleted } = value ? (JSON.parse(value) as Stored) : { ver: 0, val: null };
  const text = ver === 0 || isDeleted === true ? '' : JSON.stringify(val);
  return {
    promise: promise ?? '',
    ballot: ballot ?? '',
    // Not in the middle of a character.
    value: text.length > VALUE_MAX_LENGTH ? `${text.slice(0, VALUE_MAX_LENGTH).replace(/[\uD800-\uDBFF]$/, '')}…` : text,
    version: ver,
    ...(isDeleted && { isDeleted }),
  };
}

async function configurationOf(connections: NodeSettings['connections'], name: string): Promise<Configuration | undefined> {
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
