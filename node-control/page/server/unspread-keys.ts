import { compareBallots, formatBallot, ZERO_BALLOT } from '../../../src/protocol/ballot.js';
import { ballotIn } from '../../../src/redis/holding.js';
import { acceptorsOf, type Configuration } from '../../../src/protocol/configuration.js';
import { containsQuorum } from '../../../src/protocol/quorum.js';
import type { Time } from '../../../src/protocol/time.js';
import { dueIn } from '../../commands/next-steps.js';
import type { NamedConfiguration } from '../../narration/now.js';
import { shortName } from '../../narration/short-name.js';
import type { WatchedConnections } from '../../nodes/connections.js';
import { setsKey } from '../../safety/guard.js';
import type { AcceptorView } from './snapshot.js';

/** Of each acceptor. More would be felt by the clients of a cluster with a million keys. */
const LISTED_MAX = 1_000;
/** How many an acceptor is asked for at a time. */
const ASKED_MAX = 1_000;
/** What a round takes that is under way is over by the next look. */
const LOOK_MS = 2_000;
/** Where there are more keys than are listed. */
const LOOK_AT_MANY_MS = 10_000;
const NAMED_MAX = 5;
const NAME_MAX_LENGTH = 30;

/** The newest value of a key. */
interface Newest {
  readonly ballot: string;
  /** By name. */
  readonly holders: readonly string[];
}

interface Look {
  /** Of the keys whose newest value is on no accept quorum. */
  readonly found: ReadonlyMap<string, Newest>;
  /** Whether there are keys that were not looked at. */
  readonly isPart: boolean;
}

type Acceptor = ReturnType<WatchedConnections['acceptor']>;

/** The keys that a rescan would have to bring along. They are looked for only while one is due, and only while a page asks. */
export class UnspreadKeys {
  readonly #connections: Pick<WatchedConnections, 'acceptor'>;
  readonly #time: Time;
  /** What the last look was about. */
  #about = '';
  #last: Look | undefined;
  #isLooking = false;
  #nextMs = -Infinity;
  #text: string | undefined;

  constructor(connections: Pick<WatchedConnections, 'acceptor'>, time: Time) {
    this.#connections = connections;
    this.#time = time;
  }

  /**
   * How many they are, where they are, and what the first of them are called. Undefined where there are none, or nobody can know: an acceptor of the
   * sets does not answer. A key is told that was the same in two looks: what is being written now is on its way.
   *
   * @param told by the proposers that answer
   */
  text(told: readonly NamedConfiguration[], acceptors: readonly AcceptorView[]): string | undefined {
    const configurations = told.map(({ configuration }) => configuration);
    const [first] = configurations;
    const isSettled = new Set(configurations.map(setsKey)).size === 1;
    const names = first && isSettled && dueIn(first).length > 0 ? holdersIn(first) : [];
    const isThere = (name: string): boolean =>
      acceptors.some((one) => one.name === name && (one.state === 'healthy' || one.state === 'slow'));
    if (!first || names.length === 0 || !names.every(isThere)) {
      this.#about = '';
      this.#text = this.#last = undefined;
      return undefined;
    }
    void this.#look(first, names);
    return this.#text;
  }

  async #look(configuration: Configuration, names: readonly string[]): Promise<void> {
    const about = `${setsKey(configuration)} ${names.join(' ')}`;
    if (about !== this.#about) this.#nextMs = -Infinity;
    this.#about = about;
    if (this.#isLooking || this.#time.nowMs() < this.#nextMs) return;
    this.#isLooking = true;
    const now = await this.#lookOnce(configuration, names).catch(() => undefined);
    this.#isLooking = false;
    // By now it may be about other sets.
    if (this.#about !== about) return;
    this.#nextMs = this.#time.nowMs() + (now?.isPart ? LOOK_AT_MANY_MS : LOOK_MS);
    this.#text = now && this.#last && textOf(lasting(this.#last, now), now.isPart);
    this.#last = now;
  }

  async #lookOnce({ accept }: Configuration, names: readonly string[]): Promise<Look> {
    const acceptors = names.map((name) => this.#connections.acceptor(name));
    try {
      await Promise.all(acceptors.map((acceptor) => acceptor.connectUnlessLoading()));
      const listed = await Promise.all(acceptors.map(firstKeysOf));
      const keys = [...new Set(listed.flat())];
      const ballots = await Promise.all(acceptors.map((acceptor) => ballotsOn(acceptor, keys)));
      const found = keys.flatMap((key, index) => {
        const held = ballots.map((ofAcceptor) => ofAcceptor[index] ?? ZERO_BALLOT);
        const newest = held.reduce((a, b) => (compareBallots(a, b) < 0 ? b : a), ZERO_BALLOT);
        const holders = names.filter((_, number) => compareBallots(held[number] ?? ZERO_BALLOT, newest) === 0);
        // A promise alone is no value.
        if (formatBallot(newest) === '' || containsQuorum(accept, holders)) return [];
        return [[key, { ballot: formatBallot(newest), holders }] as const];
      });
      return { found: new Map(found), isPart: listed.some(({ length }) => length >= LISTED_MAX) };
    } finally {
      for (const acceptor of acceptors) acceptor.close();
    }
  }
}

/** Where a value may be, by name: the acceptors of the sets, and those that it may rest on since earlier steps. */
function holdersIn(configuration: Configuration): string[] {
  const resting = (configuration.resting ?? []).flatMap(({ nodes }) => nodes.map((identity) => identity.replace(/#.*$/, '')));
  return [...new Set([...acceptorsOf(configuration), ...resting])].sort();
}

async function firstKeysOf(acceptor: Acceptor): Promise<string[]> {
  const keys = new Set<string>();
  for await (const page of acceptor.keys()) {
    for (const key of page) keys.add(key);
    if (keys.size >= LISTED_MAX) break;
  }
  return [...keys].slice(0, LISTED_MAX);
}

async function ballotsOn(acceptor: Acceptor, keys: readonly string[]) {
  const ballots = [];
  for (let at = 0; at < keys.length; at += ASKED_MAX) {
    const held = await acceptor.holdings(keys.slice(at, at + ASKED_MAX));
    ballots.push(...held.map(ballotIn));
  }
  return ballots;
}

/** By the acceptors that hold them, the keys that are as they were. */
function lasting(before: Look, now: Look): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, { ballot, holders }] of now.found) {
    const old = before.found.get(key);
    const where = holders.map(shortName).join(' and ');
    if (old?.ballot === ballot && old.holders.map(shortName).join(' and ') === where)
      groups.set(where, [...(groups.get(where) ?? []), key]);
  }
  return groups;
}

function textOf(groups: ReadonlyMap<string, readonly string[]>, isPart: boolean): string | undefined {
  if (groups.size === 0) return undefined;
  return [...groups]
    .map(([where, keys]) => {
      const [what, has] = keys.length === 1 ? ['key', 'is'] : ['keys', 'are'];
      const names = [...keys].sort().slice(0, NAMED_MAX).map(shown);
      const more = keys.length > NAMED_MAX || isPart ? ', …' : '';
      return `${isPart ? 'At least ' : ''}${keys.length.toLocaleString('en')} ${what} ${has} on ${where} only: ${names.join(', ')}${more}.`;
    })
    .join(' ');
}

function shown(key: string): string {
  // Not in the middle of a character.
  return key.length > NAME_MAX_LENGTH ? `${key.slice(0, NAME_MAX_LENGTH).replace(/[\uD800-\uDBFF]$/, '')}…` : key;
}
