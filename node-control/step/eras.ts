import type { Configuration } from '../../src/protocol/configuration.js';
import { NetworkError } from '../../src/http/client.js';
import type { Member, MemberConfiguration } from '../nodes/nodes.js';
import { ControlError } from '../safety/objection.js';

/** What is the same on every proposer. */
export type Shared = Pick<Configuration, 'identities' | 'resting' | 'forced'>;

/**
 * Changes the configurations of all proposers under a new era: first takes the next one for this change alone, by writing it to each with
 * the sets as they are, in a fixed order (of two operators one finds an era that is not the one it read), and then writes the new sets with the era
 * after that. What the proposers must know before any of them uses the new sets, is written with the first.
 *
 * @param present every proposer as it was read; nothing is changed if one has another era by now
 * @param leastEra the era that is taken is above this one, too
 * @param between is done when the era is taken on every proposer, before the first gets the new sets
 * @returns the era in force then
 * @throws ControlError if it could not be begun, or not be finished
 */
export async function underNewEra(
  present: readonly MemberConfiguration[],
  shared: Shared,
  after: (present: MemberConfiguration) => Configuration,
  leastEra = 0,
  between?: () => Promise<void>,
): Promise<number> {
  const era = Math.max(leastEra, ...present.map(({ configuration }) => configuration.era)) + 1;
  for (const { member, configuration } of present) await write(member, configuration.era, { ...configuration, ...shared, era });
  await between?.();
  for (const each of present) await write(each.member, era, { ...after(each), era: era + 1 });
  return era + 1;
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
