import type { Accepted } from '../../src/protocol/acceptor.js';
import { type Ballot, compareBallots, ZERO_BALLOT } from '../../src/protocol/ballot.js';
import type { Configuration } from '../../src/protocol/configuration.js';
import type { AcceptorAdmin, Copied, Holding } from '../../src/redis/acceptor-admin.js';
import { ControlError } from '../safety/objection.js';
import { LANES, type Participants } from './participants.js';

/** Keys in one message to an acceptor: it does nothing else meanwhile. */
const KEYS_AT_ONCE = 250;
/** Values in one message, and one value more. */
const BYTES_AT_ONCE = 1024 * 1024;

/** What is known of a key while it is copied. */
interface Case {
  readonly key: string;
  /** The highest accepted ballot on any acceptor that was asked. */
  readonly top: Ballot;
  readonly holder: string;
  readonly valueBytes: number;
  /** The acceptors of the accept set that hold less. */
  readonly lacking: readonly string[];
  /** How many of the others there are. */
  copies: number;
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
  #parts = 0;

  /** @param configuration of all proposers */
  constructor(configuration: Configuration, participants: Participants) {
    this.#configuration = configuration;
    this.#participants = participants;
  }

  /** @returns the keys that a round has to bring: too few acceptors say what they hold, or one has promised another ballot */
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
    const cases = keys.map((key, index) => this.#caseOf(key, new Map(names.map((name, of) => [name, told[of]?.[index]]))));
    const byHolder = new Map<string, Case[]>();
    for (const one of cases) {
      if (one.lacking.length > 0) byHolder.set(one.holder, [...(byHolder.get(one.holder) ?? []), one]);
    }
    await Promise.all([...byHolder].map(([holder, wanted]) => this.#copyFrom(holder, wanted, lane)));
    const { quorum } = this.#configuration.accept;
    return cases.flatMap(({ key, copies }) => (copies < quorum ? [key] : []));
  }

  #caseOf(key: string, held: ReadonlyMap<string, Holding | undefined>): Case {
    let [top, holder, valueBytes] = [ZERO_BALLOT, '', 0];
    for (const [name, holding] of held) {
      if (holding && compareBallots(holding.ballot, top) > 0) [top, holder, valueBytes] = [holding.ballot, name, holding.valueBytes];
    }
    const { nodes } = this.#configuration.accept;
    const lacking = nodes.filter((name) => compareBallots(held.get(name)?.ballot ?? ZERO_BALLOT, top) < 0);
    // An acceptor that does not answer lacks it, too.
    return { key, top, holder, valueBytes, lacking, copies: nodes.length - lacking.length };
  }

  async #copyFrom(holder: string, wanted: readonly Case[], lane: number): Promise<void> {
    for (const part of inBytes(wanted)) {
      const keys = part.map(({ key }) => key);
      const accepted = await this.#ask(holder, lane, (admin) => admin.accepted(keys));
      if (!accepted) return;
      const targets = [...new Set(part.flatMap(({ lacking }) => lacking))];
      await Promise.all(targets.map((target) => this.#copyTo(target, part, accepted, lane)));
    }
  }

  async #copyTo(target: string, part: readonly Case[], accepted: readonly (Accepted | undefined)[], lane: number): Promise<void> {
    const cases: Case[] = [];
    const registers: Copied[] = [];
    for (const [index, one] of part.entries()) {
      const found = accepted[index];
      if (!found || !one.lacking.includes(target)) continue;
      cases.push(one);
      registers.push({ key: one.key, ...found });
    }
    const ballots = await this.#ask(target, lane, (admin) => admin.copy(this.#configuration.era, registers));
    for (const [index, one] of cases.entries()) {
      const ballot = ballots?.[index];
      if (ballot && compareBallots(ballot, one.top) >= 0) one.copies += 1;
    }
  }

  /** Over a connection over which it was met. Undefined if it fails, or did so before. */
  async #ask<Answer>(name: string, lane: number, question: (admin: AcceptorAdmin) => Promise<Answer>): Promise<Answer | undefined> {
    const admin = this.#failed.has(name) ? undefined : this.#participants.met.get(name)?.lanes[lane];
    if (!admin) return undefined;
    try {
      return await question(admin);
    } catch {
      this.#failed.add(name);
      return undefined;
    }
  }
}

/** Parts whose values are few enough bytes for one message. */
function inBytes(cases: readonly Case[]): Case[][] {
  const parts: Case[][] = [];
  let bytes = Infinity;
  for (const one of cases) {
    if (bytes > BYTES_AT_ONCE) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(one);
    bytes += one.valueBytes;
  }
  return parts;
}
