import { isDeepStrictEqual } from 'node:util';
import { isConfigured } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import { sleep } from '../../src/protocol/time.js';
import { type MemberConfiguration, missingAmong, type Nodes } from '../nodes/nodes.js';
import { restingAfterRescan } from '../safety/guard.js';
import { knownIdentities } from '../safety/identities.js';
import { ControlError } from '../safety/objection.js';
import { underNewEra } from '../step/eras.js';
import type { Unfinished } from '../state/rescan-notes.js';

/** How many of the keys that failed are named; the others are counted. */
const NAMED_FAILURES = 20;

/** Every key was done, and under the same configurations from before the first was listed. What is left undone is noted for the next rescan. */
export async function assertProven(
  nodes: Nodes,
  before: readonly MemberConfiguration[],
  unfinished: Unfinished,
  failed: ReadonlyMap<string, string>,
  count: number,
  pausesMs: readonly number[],
): Promise<void> {
  const goOn = (): string =>
    nodes.notes?.save(unfinished) ? 'Run the same rescan again: it does only what is left' : 'Run the rescan again';
  if (failed.size > 0) throw new ControlError(`${failed.size} of ${count} keys failed. ${goOn()}${named(failed)}`);
  const missing = await changedSince(nodes, before, pausesMs);
  if (missing.length === 0) return;
  throw new ControlError(`${missing.join(' and ')} cannot be asked after the rescan, so it proves nothing. ${goOn()}`);
}

/** Takes off the list what the rescan has paid for. Returns what the listing could have missed. */
export async function payOff(before: readonly MemberConfiguration[], listed: QuorumSet): Promise<readonly QuorumSet[]> {
  const configurations = before.map(({ configuration }) => configuration);
  const { kept, unlisted } = restingAfterRescan(listed, configurations);
  const known = configurations.find(isConfigured)?.resting ?? [];
  // Unless any of them changed since it was read.
  if (kept.length < known.length) {
    await underNewEra(before, { identities: knownIdentities(configurations) }, ({ configuration }) => ({
      ...configuration,
      resting: kept,
    }));
  }
  return unlisted;
}

/** The proposers that cannot be asked. Throws {@link ControlError} if any configuration is not the same as before. */
async function changedSince(nodes: Nodes, before: readonly MemberConfiguration[], pausesMs: readonly number[]): Promise<string[]> {
  for (const pauseMs of [...pausesMs, undefined]) {
    const after = await nodes.tryReadAll();
    const differs = after.some(({ member, configuration }) => {
      const earlier = before.find((present) => present.member === member)?.configuration;
      return configuration !== undefined && !isDeepStrictEqual(earlier, configuration);
    });
    if (differs) throw new ControlError('a configuration changed during the rescan, so it proves nothing. Run it again');
    const missing = missingAmong(after);
    if (missing.length === 0 || pauseMs === undefined) return missing;
    await sleep(nodes.time, pauseMs);
  }
  return [];
}

function named(failed: ReadonlyMap<string, string>): string {
  const lines = [...failed].slice(0, NAMED_FAILURES).map(([key, message]) => `\n  ${JSON.stringify(key)}: ${message}`);
  return lines.join('') + (failed.size > NAMED_FAILURES ? `\n  and ${failed.size - NAMED_FAILURES} more` : '');
}
