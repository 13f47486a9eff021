import type { Configuration } from '../../src/protocol/configuration.js';
import { compareBallots, parseBallot } from '../../src/protocol/ballot.js';
import type { AcceptorAdmin, Copied } from '../../src/redis/acceptor-admin.js';
import { ABSENT, ballotTextIn, type Holding, isAbove, valueBytesIn } from '../../src/redis/holding.js';
import { isFull } from '../../src/store/storage-full.js';
import { ControlError } from '../safety/objection.js';
import { LANES, type Participants } from './participants.js';

/** Keys in one message to an acceptor: it does nothing else meanwhile. */
const KEYS_AT_ONCE = 250;
/** Values in one message, and one value more. */
const BYTES_AT_ONCE = 1024 * 1024;

/** Some keys while they are copied, and in lists of their order what is known of each: a million objects would take longer to remove than the copies to send. */
interface Part {
  readonly keys: readonly string[];
  /** What each acceptor holds; undefined if it does not say. */
  readonly held: ReadonlyMap<string, readonly Holding[] | undefined>;
  /** What one of those that were asked holds under the highest ballot of all. */
  readonly tops: Holding[];
  /** How many of the accept set hold that ballot. */
  readonly copies: number[];
}

/**
 * Brings registers to an accept quorum of the present configuration by copying (paper, section 2.3.3): the accepted ballot that is the highest on
 * enough acceptors is given to those of the accept set that hold a lower one, with its own value, as if the accept of its round reached them now.
 *
 * A copy proves less than a round: not that the value is chosen, nor that accepts of earlier eras arrive no more. Quorum reads and collections take
 * only ballots of the present era for proofs (docs/protocol.md, "Copying").
 */
export class Copying {
  readonly #configuration: Configuration;
  readonly #participants: Participants;
  /** An acceptor that fails once is asked no more. */
  readonly #failed = new Set<string>();
  /** Those of them that had no memory for a copy. */
  readonly #full = new Set<string>();
  #parts = 0;

  /** @param configuration of all proposers */
  constructor(configuration: Configuration, participants: Participants) {
    this.#configuration = configuration;
    this.#participants = participants;
  }

  /**
   * @returns the keys that a round has to bring: too few acceptors say what they hold, or one has promised another ballot
   * @throws ControlError if so many acceptors have no memory for a key that they lack that a round would not bring it either, after all its time
   */
  async bring(keys: readonly string[]): Promise<string[]> {
    const parts: Promise<string[]>[] = [];
    for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
      this.#parts += 1;
      parts.push(this.#bringPart(keys.slice(at, at + KEYS_AT_ONCE), this.#parts % LANES));
    }
    return (await Promise.all(parts)).flat();
  }

  /** @throws ControlError if an acceptor is not the one that it was */
  async assertSame(): Promise<void> {
    const changed = await Promise.all(
      this.#names.map(async (name) => {
        const identity = await this.#ask(name, 0, (admin) => admin.identity());
        return this.#failed.has(name) || identity === this.#participants.met.get(name)?.identity ? [] : [name];
      }),
    );
    const names = changed.flat();
    if (names.length === 0) return;
    const why = `${names.join(' and ')} is not the acceptor any more that it was when the rescan began, so it proves nothing`;
    throw new ControlError(`${why}. Look at the status, and run it again`);
  }

  get #names(): string[] {
    return [...this.#participants.met.keys()].filter((name) => !this.#failed.has(name));
  }

  /** Whether a value may rest on acceptors that are not asked, and on no other one. */
  get #isBlind(): boolean {
    const failed = [...this.#failed].filter((name) => this.#participants.met.get(name)?.isSource);
    return failed.length > this.#participants.spare;
  }

  async #bringPart(keys: readonly string[], lane: number): Promise<string[]> {
    const names = this.#names;
    const told = await Promise.all(names.map((name) => this.#ask(name, lane, (admin) => admin.holdings(keys))));
    if (this.#isBlind) return [...keys];
    const part: Part = { keys, held: new Map(names.map((name, of) => [name, told[of]])), tops: [], copies: [] };
    const wanted = this.#compare(part);
    await Promise.all([...wanted].map(([holder, places]) => this.#copyFrom(holder, part, places, lane)));
    const { nodes, quorum } = this.#configuration.accept;
    const hasNoRoom = (name: string, place: number): boolean => this.#full.has(name) && part.held.get(name)?.[place] === ABSENT;
    return keys.filter((_, place) => {
      if ((part.copies[place] ?? 0) >= quorum) return false;
      const full = nodes.filter((name) => hasNoRoom(name, place));
      if (full.length > nodes.length - quorum) throw fullError(full);
      return true;
    });
  }

  /** @returns the places of the keys that somebody of the accept set lacks, by who holds what they lack */
  #compare({ keys, held, tops, copies }: Part): Map<string, number[]> {
    const { nodes } = this.#configuration.accept;
    const wanted = new Map<string, number[]>();
    for (let place = 0; place < keys.length; place += 1) {
      let top = ABSENT;
      let holder = '';
      for (const [name, holdings] of held) {
        const holding = holdings?.[place] ?? ABSENT;
        if (!isAbove(holding, top)) continue;
        top = holding;
        holder = name;
      }
      let count = 0;
      // Where nobody accepted anything there is nothing to lack.
      for (const name of nodes) if (holder === '' || held.get(name)?.[place] === top) count += 1;
      tops.push(top);
      copies.push(count);
      if (count === nodes.length) continue;
      const places = wanted.get(holder);
      if (places) places.push(place);
      else wanted.set(holder, [place]);
    }
    return wanted;
  }

  async #copyFrom(holder: string, part: Part, wanted: readonly number[], lane: number): Promise<void> {
    for (const places of inBytes(wanted, part.tops)) {
      const accepted = await this.#ask(holder, lane, (admin) => admin.accepted(places.map((place) => part.keys[place] ?? '')));
      if (!accepted) return;
      await Promise.all(this.#configuration.accept.nodes.map((target) => this.#copyTo(target, part, places, accepted, lane)));
    }
  }

  async #copyTo(
    target: string,
    { held, tops, copies }: Part,
    places: readonly number[],
    accepted: readonly (Copied | undefined)[],
    lane: number,
  ): Promise<void> {
    const holdings = held.get(target);
    const lacking: number[] = [];
    const registers: Copied[] = [];
    for (const [index, place] of places.entries()) {
      const found = accepted[index];
      // An acceptor that does not answer lacks it, too.
      if (!found || holdings?.[place] === tops[place]) continue;
      lacking.push(place);
      registers.push(found);
    }
    if (registers.length === 0) return;
    const ballots = await this.#ask(target, lane, (admin) => admin.copy(this.#configuration.era, registers));
    for (const [index, place] of lacking.entries()) {
      if (isAtLeast(ballots?.[index], ballotTextIn(tops[place] ?? ABSENT))) copies[place] = (copies[place] ?? 0) + 1;
    }
  }

  /** Over a connection over which it was met. Undefined if it fails, or did so before. */
  async #ask<Answer>(name: string, lane: number, question: (admin: AcceptorAdmin) => Promise<Answer>): Promise<Answer | undefined> {
    const admin = this.#failed.has(name) ? undefined : this.#participants.met.get(name)?.lanes[lane];
    if (!admin) return undefined;
    try {
      return await question(admin);
    } catch (error) {
      this.#failed.add(name);
      if (isFull(error)) this.#full.add(name);
      return undefined;
    }
  }
}

function fullError(names: readonly string[]): ControlError {
  const why = `${names.join(' and ')}: OOM, its memory is full, so no quorum can hold the keys that it lacks, and the rescan was given up`;
  return new ControlError(`${why}. Give it more memory (see "The memory of an acceptor is full" in docs/operations.md), and run it again`);
}

/** Whether an acceptor that says which ballot it has accepted has this one, or a higher one. */
function isAtLeast(ballot: string | undefined, least: string): boolean {
  return ballot === least || (ballot !== undefined && compareBallots(parseBallot(ballot), parseBallot(least)) > 0);
}

/** In groups whose values are few enough bytes for one message. */
function inBytes(places: readonly number[], tops: readonly Holding[]): number[][] {
  const groups: number[][] = [];
  let bytes = Infinity;
  for (const place of places) {
    if (bytes > BYTES_AT_ONCE) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(place);
    bytes += valueBytesIn(tops[place] ?? ABSENT);
  }
  return groups;
}
