import { isDeepStrictEqual } from 'node:util';
import { type Configuration, isConfigured } from '../../src/configuration.js';
import { NetworkError } from '../../src/http-client.js';
import { type Cluster, ControlError, type Present } from '../cluster.js';
import { inAgreement } from '../agreement.js';
import { underNewEra } from '../eras.js';
import { knownIdentities } from '../joining.js';
import { identified, restingAfterRescan, setText } from '../guard.js';
import type { Progress } from '../progress.js';

/** Keys in one request to a proposer: short enough for progress to be seen. */
const BATCH_KEYS = 200;

/** How many of the keys that failed are named; the others are counted. */
const NAMED_FAILURES = 20;

/**
 * Brings every key to an accept quorum of the present configuration (paper, section 2.3): the union of the keys that the listed acceptors
 * hold, each through the identity by one of the proposers.
 *
 * @param required how many of the acceptors must list their keys completely
 * @throws ControlError where the listing is incomplete, a key failed, or a configuration changed meanwhile
 */
export async function rescan(
  cluster: Cluster,
  acceptors: readonly string[],
  required: number,
  progress: Pick<Progress, 'show'>,
): Promise<string[]> {
  const before = await inAgreement(cluster);
  const configured = before.filter(({ configuration }) => isConfigured(configuration));
  const [first] = configured;
  if (!first) throw new ControlError('no proposer is configured. Give them acceptors with add-accept and add-prepare first');

  const { keys, failures } = await listKeys(cluster, acceptors, required, progress);
  const failed = await runThrough(configured, [...keys], progress);

  const after = await cluster.tryReadAll();
  const gone = after.filter(({ configuration }) => configuration === undefined).map(({ member }) => member.name);
  if (gone.length > 0) throw new ControlError(`${gone.join(' and ')} cannot be asked after the rescan, so it proves nothing. Run it again`);
  if (!isDeepStrictEqual(sets(before), sets(after))) {
    throw new ControlError('a configuration changed during the rescan, so it proves nothing. Run it again');
  }
  if (failed.length > 0) {
    const named = failed.slice(0, NAMED_FAILURES).map(({ key, message }) => `\n  ${JSON.stringify(key)}: ${message}`);
    const more = failed.length > NAMED_FAILURES ? `\n  and ${failed.length - NAMED_FAILURES} more` : '';
    throw new ControlError(`${failed.length} of ${keys.size} keys failed. Run the rescan again${named.join('')}${more}`);
  }
  const configurations = before.map(({ configuration }) => configuration);
  const { kept, unlisted } = restingAfterRescan(identified({ nodes: acceptors, quorum: required }, first.configuration), configurations);
  const { resting = [] } = first.configuration;
  if (kept.length < resting.length) await settle(before, kept);
  return [
    ...unlisted.map((entry) => `still owed: what rests on ${setText(entry)}, for ${required} of these acceptors need not have listed it`),
    ...failures.map((failure) => `not listed: ${failure}`),
    `${keys.size} key${keys.size === 1 ? '' : 's'} rescanned (era ${first.configuration.era})`,
  ];
}

const sets = (present: readonly { configuration: unknown }[]): unknown => present.map(({ configuration }) => configuration);

/** The union of the keys, and the acceptors that did not list theirs completely, each with the reason. */
async function listKeys(
  cluster: Cluster,
  acceptors: readonly string[],
  required: number,
  progress: Pick<Progress, 'show'>,
): Promise<{ keys: Set<string>; failures: string[] }> {
  const keys = new Set<string>();
  const failures: string[] = [];
  for (const name of acceptors) {
    try {
      await cluster.withAcceptor(name, async (admin) => {
        for await (const page of admin.keys()) {
          for (const key of page) keys.add(key);
          progress.show(`${keys.size} keys listed`);
        }
      });
    } catch (error) {
      failures.push(`${name} (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  if (acceptors.length - failures.length < required) {
    throw new ControlError(
      `${required} of ${acceptors.length} acceptors must list their keys; failed: ${failures.join(', ')}. Nothing was rescanned`,
    );
  }
  return { keys, failures };
}

interface Failure {
  readonly key: string;
  readonly message: string;
}

/** Each proposer takes the next batch as soon as it has done one. */
async function runThrough(proposers: readonly Present[], keys: readonly string[], progress: Pick<Progress, 'show'>): Promise<Failure[]> {
  const failed: Failure[] = [];
  let next = 0;
  let done = 0;
  const work = async ({ member, configuration }: Present): Promise<void> => {
    while (next < keys.length) {
      const batch = keys.slice(next, (next += BATCH_KEYS));
      try {
        const answer = await member.admin.rescan(configuration.era, batch);
        if (!answer.ok) throw new ControlError(`${member.name} refused: ${answer.message}`);
        failed.push(...answer.body.failed);
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error;
        failed.push(...batch.map((key) => ({ key, message: `${member.name} stopped answering` })));
      }
      done += batch.length;
      progress.show(`${done} of ${keys.length} keys rescanned`);
    }
  };
  await Promise.all(proposers.map(work));
  return failed;
}

/** Writes what is still owed to every proposer, unless any of them changed since it was read. */
async function settle(present: readonly Present[], resting: Configuration['resting']): Promise<void> {
  const shared = { identities: knownIdentities(present.map(({ configuration }) => configuration)) };
  await underNewEra(present, shared, ({ configuration }) => ({ ...configuration, ...(resting && { resting }) }));
}
