import { parseConfiguration } from '../../src/store/parse-configuration.js';
import { isDeepStrictEqual } from 'node:util';
import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import type { Nodes, Member, Present } from '../nodes/nodes.js';
import { type Advice, ControlError, type Objection } from '../safety/objection.js';
import { underNewEra } from './eras.js';
import { alwaysMeet, dangersOf, type Identities, identified, type Transition, restingAfter, setsKey } from '../safety/guard.js';
import { type Step, typed } from '../safety/typed-step.js';
import { adopt, lookAtJoining } from './joining.js';
import { shortagesOf } from './absence.js';

/** How a step is carried out. */
export interface Manner {
  /** Although it is not safe; it is then recorded in the configurations. */
  readonly force?: boolean;
  /** Says what it would do, or why not, and changes nothing. */
  readonly dryRun?: boolean;
}

/** What a step did to one proposer. */
export interface Outcome {
  readonly name: string;
  readonly before: Configuration;
  readonly after: Configuration;
  readonly changed: boolean;
}

export interface StepReport {
  /** Of the selected proposers. */
  readonly outcomes: readonly Outcome[];
  /** What a forced step was done in spite of. */
  readonly warnings: readonly string[];
}

/** How many forced steps the configurations remember. */
const FORCED_KEPT = 8;

/**
 * One step of a membership change (paper, section 2.3), safe against a second operator and against rounds that were begun before it, and
 * refused where it could lose a write. A step that was interrupted is finished by running it again.
 *
 * @param selected the proposers whose sets change; the others get the era only
 * @param change from the present sets to the new ones; what it returns is checked before anything is written
 * @param command for the record of a forced step
 * @param advise what to do first, for the error of a refused one
 * @throws ControlError where the step is refused, could not be done, or not be finished
 */
export async function step(
  nodes: Nodes,
  selected: readonly Member[],
  change: (present: Configuration, all: readonly Present[]) => Configuration,
  command: Step,
  { force = false, dryRun = false }: Manner = {},
  advise: (transitions: readonly Transition[]) => Advice = () => ({ advice: 'Look at the order of the steps in the README' }),
): Promise<StepReport> {
  const { present, missing } = force ? await reachable(nodes) : { present: await nodes.readAll(), missing: [] };
  const sets = present.map(({ member, configuration }) => {
    const after = selected.includes(member) ? parseConfiguration(change(configuration, present)) : configuration;
    return { member, before: configuration, after, changed: !isDeepStrictEqual(setsOf(configuration), setsOf(after)) };
  });
  const {
    identities,
    newcomers,
    era: leastEra,
    resting: forgotten,
    objections,
  } = await lookAtJoining(
    nodes,
    sets.map(({ before }) => before),
    sets.map(({ after }) => after),
  );
  const recognized = recognizedIn(
    sets.map(({ before }) => before),
    identities,
  );
  const transitions = sets.map(({ member, before, after, changed }): Transition & { member: Member } => ({
    ...{ member, name: member.name, changed },
    before: {
      ...before,
      identities: { ...identities, ...before.identities },
      resting: [...(before.resting ?? []), ...forgotten].map((entry) => identified(entry, { identities: recognized })),
    },
    after: { ...after, identities },
  }));

  const isSettled = new Set(present.map(({ configuration }) => configuration.era)).size === 1;
  const report = (warnings: readonly string[], era?: number): StepReport => ({
    outcomes: transitions
      .filter(({ member }) => selected.includes(member))
      .map(({ name, before, after, changed }) => ({ name, before, after: { ...after, era: era ?? after.era }, changed })),
    warnings,
  });
  if (isSettled && transitions.every(({ changed }) => !changed) && Object.keys(newcomers).length === 0) return report([]);

  const all: Objection[] = [
    ...missing.map((name) => ({ why: `${name} cannot be reached and is left behind`, advice: 'Start it' })),
    // Half of another step is to be seen. Repeating that one makes the proposers agree; a step on top of it would leave them two steps apart.
    ...(isSettled || selected.length < transitions.length || agree(transitions.map(({ after }) => after)) ? [] : [HALF_DONE]),
    ...objections,
    ...(await shortagesOf(nodes, transitions, without(identities, newcomers))),
    ...dangersOf(transitions).map(({ message }) => ({ why: message, advice: '' })),
  ];
  const [first] = all;
  if (first && !force) throw new ControlError(`${first.why}. Nothing was changed`, first.advice ? first : advise(transitions));
  const warnings = all.map(({ why }) => why);
  if (dryRun) return report(warnings);

  await adopt(nodes, newcomers);
  const resting = restingAfter(transitions).filter((entry) => !force || isMetBy(transitions, entry));
  const record = warnings.length === 0 ? [] : [`${typed(command)}: ${warnings.join('; ')}`];
  const shared = { identities, resting, ...forcedWith(present, record) };
  const kept = identitiesOf(transitions, identities);
  const after = ({ member }: Present): Configuration => {
    const transition = transitions.find((candidate) => candidate.member === member);
    return { ...(transition as Transition).after, ...shared, identities: kept };
  };
  return report(warnings, await underNewEra(present, shared, after, leastEra));
}

/** What the configurations remember of forced steps, and more of them. */
export function forcedWith(present: readonly Present[], records: readonly string[]): Pick<Configuration, 'forced'> {
  const forced = [...new Set([...present.flatMap(({ configuration }) => configuration.forced ?? []), ...records])].slice(-FORCED_KEPT);
  return forced.length === 0 ? {} : { forced };
}

const HALF_DONE: Objection = {
  why: 'the proposers differ: another step is under way or was interrupted, or one of them lost its sets',
  advice: 'Run that step again, or give one the sets of another (copy), then run this one',
};

async function reachable(nodes: Nodes): Promise<{ present: Present[]; missing: string[] }> {
  const answers = await nodes.tryReadAll();
  const present = answers.flatMap(({ member, configuration }) => (configuration ? [{ member, configuration }] : []));
  if (present.length === 0) throw new ControlError('no proposer can be reached');
  return { present, missing: answers.filter(({ configuration }) => !configuration).map(({ member }) => member.name) };
}

function without(identities: Identities, others: Identities): Identities {
  return Object.fromEntries(Object.entries(identities).filter(([name]) => !(name in others)));
}

function setsOf({ prepare, accept }: Configuration): unknown {
  return [prepare, accept];
}

function agree([first, ...others]: readonly Configuration[]): boolean {
  return others.every((other) => setsKey(other) === (first && setsKey(first)));
}

/** Acceptors that any proposer lists without an identity are who they were: so are those of the same name in the entries of all. */
function recognizedIn(configurations: readonly Configuration[], identities: Identities): Identities {
  const names = configurations.flatMap((each) => acceptorsOf(each).filter((name) => each.identities?.[name] === undefined));
  return Object.fromEntries(Object.entries(identities).filter(([name]) => names.includes(name)));
}

/** Those of acceptors that are still listed. */
function identitiesOf(transitions: readonly Transition[], identities: Identities): Identities {
  const listed = new Set(transitions.flatMap(({ after }) => acceptorsOf(after)));
  return Object.fromEntries(Object.entries(identities).filter(([name]) => listed.has(name)));
}

/** What a forced step gave up is no longer owed: no later step could pay for it. One that leaves a set empty gives up nothing yet. */
function isMetBy(transitions: readonly Transition[], entry: { nodes: readonly string[]; quorum: number }): boolean {
  return transitions.every(({ after }) => !isConfigured(after) || alwaysMeet(identified(after.prepare, after), entry));
}
