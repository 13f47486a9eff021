import type { Accepted } from '../../src/protocol/acceptor.js';
import { type Ballot, compareBallots, ZERO_BALLOT } from '../../src/protocol/ballot.js';
import type { Configuration } from '../../src/protocol/configuration.js';
import type { AcceptorAdmin, Copied, Holding } from '../../src/redis/acceptor-admin.js';
import type { Nodes } from '../nodes/nodes.js';
import { ControlError } from '../safety/objection.js';

/** Keys in one message to an acceptor: it does nothing else meanwhile. */
const KEYS_AT_ONCE = 250;
/**
 * Connections to each acceptor: of what comes over one, it takes so little at a time that several share a sync of its disk. Each carries the messages
 * about one part of the keys after the other.
 */
const LANES = 4;
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
  /** By name: of the accept set, and those to read from. An acceptor that fails once is asked no more. */
  readonly #admins: Map<string, readonly AcceptorAdmin[]>;
  readonly #identities: ReadonlyMap<string, string>;
  readonly #sources: ReadonlySet<string>;
  /** How many more of the sources may fail before what they hold is no longer known. */
  #spare: number;
  #parts = 0;

  private constructor(
    configuration: Configuration,
    admins: Map<string, readonly AcceptorAdmin[]>,
    identities: ReadonlyMap<string, string>,
    sources: ReadonlySet<string>,
    spare: number,
  ) {
    this.#configuration = configuration;
    this.#admins = admins;
    this.#identities = identities;
    this.#sources = sources;
    this.#spare = spare;
  }

  /**
   * Meets the acceptors. Values count only from members, which the sets list or a value may rest on: another one may hold what was deleted and
   * collected since it left.
   *
   * @param configuration of all proposers
   * @param acceptors those that list their keys
   * @param required how many of them any value rests on at least one of
   */
  static async meet(nodes: Nodes, configuration: Configuration, acceptors: readonly string[], required: number): Promise<Copying> {
    const { accept, identities: known = {}, resting = [] } = configuration;
    const members = new Set([...Object.values(known), ...resting.flatMap((entry) => entry.nodes)]);
    const admins = new Map<string, readonly AcceptorAdmin[]>();
    const identities = new Map<string, string>();
    const sources = new Set<string>();
    let spare = acceptors.length - required;
    const meetOne = async (name: string): Promise<void> => {
      const lanes = Array.from({ length: LANES }, (_, lane) =>
        nodes.withAcceptor(name, async (admin) => ({ admin, identity: await admin.identity() }), lane),
      );
      const met = await Promise.all(lanes);
      const [{ identity } = {}] = met;
      const isTheOneMeant = known[name] === undefined ? !accept.nodes.includes(name) : identity === known[name];
      if (!isTheOneMeant || identity === undefined || met.some((lane) => lane.identity !== identity))
        throw new Error('it is not the one that is meant');
      if (!members.has(identity)) return;
      admins.set(
        name,
        met.map(({ admin }) => admin),
      );
      identities.set(name, identity);
      if (acceptors.includes(name)) sources.add(name);
    };
    const meetAny = (name: string): Promise<void> =>
      meetOne(name).catch(() => {
        if (acceptors.includes(name)) spare -= 1;
      });
    await Promise.all([...new Set([...accept.nodes, ...acceptors])].map(meetAny));
    return new Copying(configuration, admins, identities, sources, spare);
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
      [...this.#admins.keys()].map(async (name) => {
        const identity = await this.#ask(name, 0, (admin) => admin.identity());
        return this.#admins.has(name) && identity !== this.#identities.get(name) ? [name] : [];
      }),
    );
    const names = changed.flat();
    if (names.length > 0) throw new ControlError(`${names.join(' and ')} was wiped during the rescan, so it proves nothing. Run it again`);
  }

  async #bringPart(keys: readonly string[], lane: number): Promise<string[]> {
    const names = [...this.#admins.keys()];
    const told = await Promise.all(names.map((name) => this.#ask(name, lane, (admin) => admin.holdings(keys))));
    if (this.#spare < 0) return [...keys];
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
    const admin = this.#admins.get(name)?.[lane];
    if (!admin) return undefined;
    try {
      return await question(admin);
    } catch {
      if (this.#admins.delete(name) && this.#sources.has(name)) this.#spare -= 1;
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
