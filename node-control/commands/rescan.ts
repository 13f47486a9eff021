import { isDeepStrictEqual } from 'node:util';
import { type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import { sleep } from '../../src/protocol/time.js';
import { inAgreement } from '../step/agreement.js';
import type { Nodes, MemberConfiguration } from '../nodes/nodes.js';
import { ControlError } from '../safety/objection.js';
import { underNewEra } from '../step/eras.js';
import { restingAfterRescan, setText } from '../safety/guard.js';
import { knownIdentities } from '../safety/identities.js';
import { KeyListing } from '../rescan/key-listing.js';
import { Pace } from '../rescan/pace.js';
import type { Progress } from '../terminal/progress.js';
import type { Unfinished } from '../rescan/notes.js';
import { RescanWorkers } from '../rescan/workers.js';

export interface RescanLimits {
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

const LIMITS: RescanLimits = {
  batchKeys: 500,
  memoryBytes: 80 * 1024 * 1024,
  failuresMax: 10_000,
  pausesMs: [500, 1_500],
  troublePausesMs: [200, 500, 1_000, 2_000, 4_000],
};

/** How many of the keys that failed are named; the others are counted. */
const NAMED_FAILURES = 20;

/**
 * Brings every key to an accept quorum of the present configuration (paper, section 2.3): the union of the keys that the listed acceptors
 * hold, each through the identity by one of the proposers. Where the last one left keys and nothing changed since, only these.
 *
 * @param required how many of the acceptors must list their keys completely
 * @throws ControlError where the listing is incomplete, a key failed, or a configuration changed meanwhile
 */
export async function rescan(
  nodes: Nodes,
  acceptors: readonly string[],
  required: number,
  progress: Pick<Progress, 'show'>,
  limits: Partial<RescanLimits> = {},
): Promise<string[]> {
  const { pausesMs, troublePausesMs, batchKeys, failuresMax, memoryBytes } = { ...LIMITS, ...limits };
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

  const total = left ? left.failed.length : listing.estimate;
  const pace = new Pace(time, total);
  const workers = new RescanWorkers({
    ...{ era, failuresMax, time },
    proposers: configured.map(({ member }) => member),
    batchKeys: Math.max(1, Math.min(batchKeys, Math.ceil(total / configured.length / 2))),
    pausesMs: troublePausesMs,
    onKeys: (count) => {
      pace.add(count);
      progress.show(String(pace), pace.fraction);
    },
  });
  await workers.through(async (take) => {
    if (left) await take(left.failed);
    else await listing.list(take);
    assertComplete(listing, acceptors, required, 'So this rescan proves nothing, and what was owed still is. Run it again');
  });
  await workers.again(pausesMs);

  const listed = left?.listed ?? listing.listed(required);
  const notListed = left?.notListed ?? listing.failures;
  const failed = [...workers.failed.keys()];
  const configurations = Object.fromEntries(before.map(({ member, configuration }) => [member.name, configuration]));
  const unfinished: Unfinished = { acceptors, required, configurations, listed, notListed, failed };
  const goOn = (): string => (notes?.save(unfinished) ? 'Run the same rescan again: it does only what is left' : 'Run the rescan again');
  if (failed.length > 0) throw new ControlError(`${failed.length} of ${pace.done} keys failed. ${goOn()}${named(workers.failed)}`);
  const gone = await changedSince(nodes, before, pausesMs);
  if (gone.length > 0) throw new ControlError(`${gone.join(' and ')} cannot be asked after the rescan, so it proves nothing. ${goOn()}`);

  const { kept, unlisted } = restingAfterRescan(
    listed,
    before.map(({ configuration }) => configuration),
  );
  if (kept.length < (first.configuration.resting ?? []).length) await settle(before, kept);
  notes?.clear();
  return [
    ...remark,
    ...unlisted.map((entry) => `still owed: what rests on ${setText(entry)}, for ${required} of these acceptors need not have listed it`),
    ...notListed.map((failure) => `not listed: ${failure}`),
    ...(listing.isRepetitive ? ['some keys went through twice: there were more than fit into memory'] : []),
    `${pace.done} key${pace.done === 1 ? '' : 's'} rescanned (era ${era})`,
  ];
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
  const keys = `${last.failed.length} key${last.failed.length === 1 ? '' : 's'}`;
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

/** The proposers that cannot be asked. Throws {@link ControlError} where any configuration is not the same as before. */
async function changedSince(nodes: Nodes, before: readonly MemberConfiguration[], pausesMs: readonly number[]): Promise<string[]> {
  for (const pauseMs of [...pausesMs, undefined]) {
    const after = await nodes.tryReadAll();
    const differs = after.some(({ member, configuration }) => {
      const earlier = before.find((present) => present.member === member)?.configuration;
      return configuration !== undefined && !isDeepStrictEqual(earlier, configuration);
    });
    if (differs) throw new ControlError('a configuration changed during the rescan, so it proves nothing. Run it again');
    const gone = after.filter(({ configuration }) => configuration === undefined).map(({ member }) => member.name);
    if (gone.length === 0 || pauseMs === undefined) return gone;
    await sleep(nodes.time, pauseMs);
  }
  return [];
}

function named(failed: ReadonlyMap<string, string>): string {
  const lines = [...failed].slice(0, NAMED_FAILURES).map(([key, message]) => `\n  ${JSON.stringify(key)}: ${message}`);
  return lines.join('') + (failed.size > NAMED_FAILURES ? `\n  and ${failed.size - NAMED_FAILURES} more` : '');
}

/** Writes what is still owed to every proposer, unless any of them changed since it was read. */
async function settle(present: readonly MemberConfiguration[], resting: Configuration['resting']): Promise<void> {
  const shared = { identities: knownIdentities(present.map(({ configuration }) => configuration)) };
  await underNewEra(present, shared, ({ configuration }) => ({ ...configuration, ...(resting && { resting }) }));
}
