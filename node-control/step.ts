import { isDeepStrictEqual } from 'node:util';
import { type Configuration, parseConfiguration } from '../src/configuration.js';
import { NetworkError } from '../src/http-client.js';
import { assertQuorumsMeet } from './quorum-check.js';
import { type Cluster, ControlError, type Member, type Present } from './cluster.js';

/** What a step did to one proposer. */
export interface Outcome {
  readonly name: string;
  readonly before: Configuration;
  readonly after: Configuration;
  readonly changed: boolean;
}

/**
 * One step of a membership change (paper, section 2.3), safe against a second operator and against rounds that were begun before it:
 * reads every proposer, claims the next era on each in a fixed order with the sets unchanged, and then writes the new sets with the era after.
 * A step that was interrupted is finished by running it again.
 *
 * @param selected the proposers whose sets change; the others get the era only
 * @param change from the present sets to the new ones; what it returns is checked before anything is written
 * @throws ControlError where the step could not be done, or not be finished
 */
export async function step(
  cluster: Cluster,
  selected: readonly Member[],
  change: (present: Configuration, all: readonly Present[]) => Configuration,
): Promise<Outcome[]> {
  const present = await cluster.readAll();
  const planned = present.map(({ member, configuration }) => {
    const after = selected.includes(member) ? parseConfiguration(change(configuration, present)) : configuration;
    return { member, before: configuration, after, changed: !isDeepStrictEqual(configuration, after) };
  });
  const isSettled = new Set(present.map(({ configuration }) => configuration.era)).size === 1;
  const report = (era?: number): Outcome[] =>
    planned
      .filter(({ member }) => selected.includes(member))
      .map(({ member, before, after, changed }) => ({ name: member.name, before, after: { ...after, era: era ?? after.era }, changed }));
  if (isSettled && planned.every(({ changed }) => !changed)) return report();
  // Half of another step is to be seen. Repeating that one makes the proposers agree; a step on top of it would leave them two steps apart.
  if (!isSettled && selected.length === planned.length && !agree(planned.map(({ after }) => after))) {
    throw new ControlError(
      'the proposers differ: another step is under way or was interrupted, or one of them lost its sets. Nothing was changed. ' +
        'Run that step again, or give one the sets of another (copy), then run this one',
    );
  }
  assertQuorumsMeet(planned);

  const claimed = await claimEra(present);
  for (const { member, after } of planned) await write(member, claimed, { ...after, era: claimed + 1 });
  return report(claimed + 1);
}

function agree([first, ...others]: readonly Configuration[]): boolean {
  return others.every(({ prepare, accept }) => isDeepStrictEqual([prepare, accept], [first?.prepare, first?.accept]));
}

/** Takes the next era for this step alone: of two operators one finds an era that is not the one it read. */
async function claimEra(present: readonly Present[]): Promise<number> {
  const era = Math.max(...present.map(({ configuration }) => configuration.era)) + 1;
  for (const { member, configuration } of present) await write(member, configuration.era, { ...configuration, era });
  return era;
}

async function write({ name, admin }: Member, expectedEra: number, configuration: Configuration): Promise<void> {
  let answer;
  try {
    answer = await admin.configure(expectedEra, configuration);
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    throw new ControlError(
      `${name} stopped answering in the middle of the step (${error.message}). Start it and run the same command again`,
    );
  }
  if (answer.ok) return;
  const advice =
    answer.code === 'EraMismatch'
      ? 'Look at the status, and run the command again when they are done'
      : 'Mend that and run the command again';
  throw new ControlError(`${name} refused: ${answer.message}. ${advice}`);
}
