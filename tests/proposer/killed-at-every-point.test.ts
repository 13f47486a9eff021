import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Configuration } from '../../src/protocol/configuration.js';
import { NetworkError } from '../../src/http/client.js';
import { acceptorName, Cluster, configurationOf, majorities } from '../cluster.js';
import { ProposerProcess } from '../proposer-process.js';

/** More calls than there are, so that a loop which never gets through ends. */
const CALLS_MAX = 40;
/** At least: the folder, the lock, the three files, and the incarnation as it is written. */
const CALLS_OF_A_START = 12;
/** Two starts for each call: on a busy machine these take seconds. */
const STARTS_TIMEOUT_MS = 180_000;
const PRELOAD = new URL('kill-at-call.mjs', import.meta.url).href;
const MODES = ['before', 'half-way'] as const;

interface Kill {
  /** The end of the path with which counting begins. */
  readonly from: string;
  readonly at: number;
  readonly when: (typeof MODES)[number];
}

/** The same proposer again and again: its state folder, and its program, which is killed at a point or else by the next one. */
async function proposers(): Promise<{ folder: string; next: (kill?: Kill) => Promise<ProposerProcess> }> {
  const folder = mkdtempSync(join(tmpdir(), 'killed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const stateFolder = join(folder, 'state');
  const { addressMap } = await Cluster.forThisTest({ acceptors: 2, proposers: 0 });
  let present: ProposerProcess | undefined;
  onTestFinished(async () => present?.stop());
  const next = async (kill?: Kill): Promise<ProposerProcess> => {
    const env = kill && {
      NODE_OPTIONS: `--import=${PRELOAD}`,
      ...{ KILL_FROM: kill.from, KILL_AT: String(kill.at), KILL_WHEN: kill.when },
    };
    await present?.stop();
    return (present = await ProposerProcess.prepare({ stateFolder, addressMap, ...(env && { env }) }));
  };
  // The clock would raise the incarnation even if the folder did not.
  const first = await next();
  await first.start();
  first.store('incarnation.json', String(Date.now() + 10 ** 12));
  return { folder: stateFolder, next };
}

/** All that a configuration can hold, and another sets each time. */
function configurationAt(era: number): Configuration {
  const sets = majorities(era % 2 ? 1 : 2);
  const identities = Object.fromEntries(sets.accept.nodes.map((name) => [name, `${name}#${era}`]));
  return {
    ...{ era, ...sets, identities },
    resting: [{ nodes: [`${acceptorName(1)}#${era - 1}`], quorum: 1 }],
    forced: [`the step of era ${era}, forced`],
  };
}

async function incarnationOf({ admin }: ProposerProcess): Promise<number> {
  const answer = await admin.identity();
  if (!answer.ok) throw new Error(answer.message);
  return answer.body.incarnation;
}

it.each(MODES)('killed %s each call of a change of configuration, a proposer comes back with the old one or the new one', async (when) => {
  const { next } = await proposers();
  let possible: Configuration[] = [];
  let last = 0;
  const outcomes: ('old' | 'new')[] = [];
  for (let at = 1; ; at += 1) {
    expect(at).toBeLessThan(CALLS_MAX);
    const proposer = await next({ from: 'configuration.json.new', at, when });
    await proposer.start();
    const present = await configurationOf(proposer);
    if (possible.length > 0) {
      expect(possible).toContainEqual(present);
      outcomes.push(present.era === possible[0]?.era ? 'old' : 'new');
    }
    const incarnation = await incarnationOf(proposer);
    expect(incarnation).toBeGreaterThan(last);
    last = incarnation;

    const wanted = configurationAt(present.era + 1);
    const isAcknowledged = await proposer.admin.configure(present.era, wanted).then(
      ({ ok }) => ok,
      (error: unknown) => {
        expect(error).toBeInstanceOf(NetworkError);
        return false;
      },
    );
    possible = isAcknowledged ? [wanted] : [present, wanted];
    if (isAcknowledged) break;
    await expect.poll(() => proposer.isRunning).toBe(false);
  }
  const proposer = await next();
  await proposer.start();
  expect(await configurationOf(proposer)).toEqual(possible[0]);
  expect(await incarnationOf(proposer)).toBeGreaterThan(last);
  // Written, synced, closed and renamed; the folder opened, synced and closed: no point was left out, and it turned once.
  expect(outcomes.join(' ')).toMatch(when === 'before' ? /^(old ){5}new new new$/ : /^(old ){4}new new new new$/);
});

it(
  'killed after each call of a start, half-way a write, a proposer starts again with its configuration, and a higher incarnation',
  async () => {
    const { folder, next } = await proposers();
    const configuration = configurationAt(5);
    const first = await next();
    first.store('configuration.json', JSON.stringify(configuration));
    // A file that is not there could not be read, and the program not be killed after that.
    first.store('beats.json', '{}');
    let last = Number(first.stored('incarnation.json'));
    for (let at = 1; ; at += 1) {
      expect(at).toBeLessThan(CALLS_MAX);
      const killed = await next({ from: folder, at, when: 'half-way' });
      const isUp = await killed.start().then(
        () => true,
        () => false,
      );
      if (isUp) {
        expect(at).toBeGreaterThan(CALLS_OF_A_START);
        break;
      }
      expect([killed.isRunning, killed.stderr]).toEqual([false, '']);
      const proposer = await next();
      await proposer.start();
      expect(await configurationOf(proposer)).toEqual(configuration);
      const incarnation = await incarnationOf(proposer);
      expect(incarnation).toBeGreaterThan(last);
      last = incarnation;
    }
  },
  STARTS_TIMEOUT_MS,
);
