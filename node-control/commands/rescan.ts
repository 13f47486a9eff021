import { isDeepStrictEqual } from 'node:util';
import { type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import { inAgreement } from '../step/agreement.js';
import type { Nodes, MemberConfiguration } from '../nodes/nodes.js';
import { ControlError, keysText } from '../safety/objection.js';
import { setText } from '../safety/guard.js';
import { knownIdentities } from '../safety/identities.js';
import { Copying } from '../rescan/copying.js';
import { InFlight } from '../rescan/in-flight.js';
import { KeyListing } from '../rescan/key-listing.js';
import { Pace } from '../rescan/pace.js';
import { meetParticipants } from '../rescan/participants.js';
import type { Progress } from '../terminal/progress.js';
import type { Unfinished } from '../state/rescan-notes.js';
import { assertProven, payOff } from '../rescan/proof.js';
import { RescanWorkers } from '../rescan/workers.js';

export interface RescanManner {
  /** Brings every key by a round, where registers could be copied. */
  readonly byRounds: boolean;
  /** Keys in one request to a proposer: short enough for progress to be seen, long enough for the request to cost next to nothing. */
  readonly batchKeys: number;
  /** For the keys that went through already. A million keys of 20 bytes fit. */
  readonly memoryBytes: number;
  /** With more failed keys than that, and with no key done in several batches, it gives up: a million time-outs would take a day. */
  readonly failuresMax: number;
  /** Before each retry of what failed: of a key, of a listing, of a proposer at the end. A proposer that is restarted is back by then. */
  readonly pausesMs: readonly number[];
  /** Of a proposer that gets nothing done, before its next batches. */
  readonly troublePausesMs: readonly number[];
}

const DEFAULTS: RescanManner = {
  byRounds: false,
  batchKeys: 500,
  memoryBytes: 80 * 1024 * 1024,
  failuresMax: 10_000,
  pausesMs: [500, 1_500],
  troublePausesMs: [200, 500, 1_000, 2_000, 4_000],
};

/** Pages of a listing that are copied at a time: an acceptor writes one while others are read. */
const PAGES_AT_ONCE = 2;

/**
 * Brings every key to an accept quorum of the present configuration (paper, section 2.3): the union of the keys that the listed acceptors
 * hold, each by copying its register (section 2.3.3), or where that is not possible by a round of a proposer that keeps the value. If the last one left
 * keys and nothing changed since, only these.
 *
 * @param required how many of the acceptors must list their keys completely
 * @throws ControlError if the listing is incomplete, a key failed, or a configuration changed meanwhile
 */
export async function rescan(
  nodes: Nodes,
  acceptors: readonly string[],
  required: number,
  progress: Pick<Progress, 'show'>,
  options: Partial<RescanManner> = {},
): Promise<string[]> {
  const { byRounds, pausesMs, troublePausesMs, memoryBytes, ...limits } = { ...DEFAULTS, ...options };
  const { time, notes } = nodes;
  const before = await inAgreement(nodes);
  const configured = before.filter(({ configuration }) => isConfigured(configuration));
  const [first] = configured;
  if (!first) throw new ControlError('no proposer is configured. Give them acceptors with add-accept and add-prepare first');
  const { era } = first.configuration;

  const { left, remark } = leftBy(notes?.load(), acceptors, required, before);
  const identities = knownIdentities(before.map(({ configuration }) => configuration));
  const listing = new KeyListing(nodes, acceptors, { identities, memoryBytes, pausesMs, time });
  if (!left) await listing.meet();
  assertComplete(listing, acceptors, required, 'Nothing was rescanned');

  const pace = new Pace(time, left ? left.failed.length : listing.estimate);
  const onKeys = (count: number): void => {
    pace.add(count);
    progress.show(String(pace), pace.fraction);
  };
  const batchKeys = Math.max(1, Math.min(limits.batchKeys, Math.ceil(pace.total / configured.length / 2)));
  const proposers = configured.map(({ member }) => member);
  const workers = new RescanWorkers({
    era,
    proposers,
    batchKeys,
    pausesMs: troublePausesMs,
    failuresMax: limits.failuresMax,
    time,
    onKeys,
  });
  const copying =
    byRounds || left
      ? undefined
      : new Copying(first.configuration, await meetParticipants(nodes, first.configuration, acceptors, required));
  await workers.through(async (take) => {
    if (left) await take(left.failed);
    else if (copying) await copyAll(listing, copying, onKeys, take);
    else await listing.list(take);
    assertComplete(listing, acceptors, required, 'So this rescan counts as not done. Run it again');
  });
  await workers.again(pausesMs);
  await copying?.assertSame();

  const listed = left?.listed ?? listing.listed(required);
  const notListed = left?.notListed ?? listing.failures;
  const configurations = Object.fromEntries(before.map(({ member, configuration }) => [member.name, configuration]));
  const unfinished = { acceptors, required, configurations, listed, notListed, failed: [...workers.failed.keys()] };
  await assertProven(nodes, before, unfinished, workers.failed, pace.done, pausesMs);
  const unlisted = await payOff(before, listed);
  notes?.clear();
  return [
    ...remark,
    ...unlisted.map(
      (entry) => `a rescan is still needed for what rests on ${setText(entry)}: ${required} of these acceptors may hold none of it`,
    ),
    ...notListed.map((failure) => `not listed: ${failure}`),
    ...(listing.isRepetitive ? ['some keys went through twice: there were more than fit into memory, or a listing was begun again'] : []),
    `${keysText(pace.done)} rescanned (era ${era})`,
  ];
}

/** What cannot be copied goes by rounds. */
async function copyAll(
  listing: KeyListing,
  copying: Copying,
  onKeys: (count: number) => void,
  take: (keys: readonly string[]) => Promise<void>,
): Promise<void> {
  const pages = new InFlight(PAGES_AT_ONCE);
  const bring = async (keys: readonly string[]): Promise<void> => {
    const rest = await copying.bring(keys);
    onKeys(keys.length - rest.length);
    if (rest.length > 0) await take(rest);
  };
  await listing.list((keys) => pages.begin(() => bring(keys)));
  await pages.settled();
}

/** What the last rescan left, if it counts as a part of this one; else why not. */
function leftBy(
  last: Unfinished | undefined,
  acceptors: readonly string[],
  required: number,
  present: readonly MemberConfiguration[],
): { left?: Unfinished; remark: string[] } {
  if (!last) return { remark: [] };
  const all = 'so all keys were rescanned';
  const keys = keysText(last.failed.length);
  if (!isDeepStrictEqual([last.acceptors, last.required], [acceptors, required])) {
    return { remark: [`the rescan before this one left ${keys}, but listed other acceptors or required another number, ${all}`] };
  }
  const isUnchanged = (name: string, configuration: Configuration): boolean => isDeepStrictEqual(last.configurations[name], configuration);
  const isSame = Object.keys(last.configurations).length === present.length;
  if (!isSame || !present.every(({ member, configuration }) => isUnchanged(member.name, configuration))) {
    return { remark: [`the rescan before this one left ${keys}, but a configuration changed since, ${all}`] };
  }
  return { left: last, remark: [`only the ${keys} that the rescan before this one left`] };
}

function assertComplete(listing: KeyListing, acceptors: readonly string[], required: number, consequence: string): void {
  const { failures } = listing;
  if (acceptors.length - failures.length >= required) return;
  throw new ControlError(
    `${required} of ${acceptors.length} acceptors must list their keys; failed: ${failures.join(', ')}. ${consequence}`,
  );
}
