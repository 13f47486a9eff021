import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import { UnfitAcceptor } from '../../src/protocol/errors.js';
import { wentBack } from '../../src/store/greeting.js';
import { type Nodes, reachedAmong } from '../nodes/nodes.js';
import { ControlError, keysText, type Objection, reasonOf } from '../safety/objection.js';
import { underNewEra } from '../step/eras.js';
import { missedBy, setText, thinnedBy } from '../safety/guard.js';
import { knownIdentities } from '../safety/identities.js';
import { rescanOf, rescanOfEntry } from '../safety/plan.js';
import { typed } from '../safety/typed-step.js';
import type { Manner } from '../step/step.js';
import { forcedWith } from '../step/write.js';
import { absenceAmong, leavingOut, shortage } from '../step/absence.js';
import { leavingBehind, leftOutObjections, leftOutOf } from '../step/left-out.js';

/**
 * Removes all data of an acceptor, its identity with it, so that it can join again as another, empty one. Data of an acceptor that is still
 * asked, or that joins with old data, is a promise broken: refused while any proposer lists it, or cannot be asked, and while no proposer is
 * left that would find elsewhere what rests on it.
 */
export async function wipeAcceptor(nodes: Nodes, acceptor: string, { force = false, dryRun = false }: Manner = {}): Promise<string[]> {
  nodes.assertAcceptor(acceptor);
  try {
    return await nodes.withAcceptor(acceptor, async (admin) => {
      // Before the look at the proposers: an operator who lets it join after that look gives it another identity, or cuts this program off.
      const [identity, size] = [await admin.identity(), await admin.size()];
      const objections = await objectionsToWipe(nodes, acceptor, identity, size);
      const [first] = objections;
      const warnings = objections.map(({ why }) => why);
      if (first && !force) throw new ControlError(`${warnings.join('; ')}. Nothing was removed`, first);
      const forced = warnings.map((warning) => `FORCED although ${warning}`);
      if (dryRun) return [...forced, `would be done: ${acceptor}: ${keysText(size)} removed`];
      // Before the wipe: it is recorded also if this program is killed in between.
      if (first) forced.push(...(await record(nodes, `${typed({ verb: 'wipe-acceptor', acceptor })}: ${warnings.join('; ')}`)));
      return [...forced, `${acceptor}: ${keysText(await admin.wipe({ identity }))} removed`];
    });
  } catch (error) {
    if (error instanceof ControlError) throw error;
    const remedy = error instanceof UnfitAcceptor ? 'Mend that' : 'Start it';
    throw new ControlError(`${acceptor} could not be wiped: ${reasonOf(error)}. ${remedy} and run the command again`);
  }
}

/** Remembers in the configurations what was forced. Returns why not, if it cannot: half of a step that is to be seen must stay to be seen. */
async function record(nodes: Nodes, forced: string): Promise<string[]> {
  const read = await nodes.tryReadAll();
  const present = reachedAmong(read);
  const eras = new Set(present.map(({ configuration }) => configuration.era));
  if (present.length < read.length || eras.size !== 1) return ['not recorded: that needs every proposer, and all in the same era'];
  const shared = forcedWith(present, [forced]);
  await underNewEra(present, shared, ({ configuration }) => ({ ...configuration, ...shared }));
  return [];
}

async function objectionsToWipe(nodes: Nodes, acceptor: string, identity: string | undefined, size: number): Promise<Objection[]> {
  const answers = await nodes.tryReadAll();
  const objections = answers.flatMap(({ member, configuration }): Objection[] => {
    if (!configuration) return [{ why: `${member.name} cannot be reached`, advice: 'Start it and run the command again' }];
    if (!acceptorsOf(configuration).includes(acceptor)) return [];
    const why = `${member.name} still lists ${acceptor}`;
    return [{ why, advice: 'First rm-accept and rm-prepare it on every proposer, or resize without it' }];
  });
  const members = reachedAmong(answers);
  objections.push(...leftOutObjections(await leftOutOf(nodes, members, [acceptor]), leavingBehind(members)));
  const present = members.map(({ configuration }) => configuration);
  const isForgotten = present.every(({ era }) => era === 0);
  // One whose disk went back still holds what rested on it until then, and may be the last that does.
  const names = [identity, wentBack(identity)?.was].filter((name) => name !== undefined);
  const isNamed = present.some(({ resting }) => resting?.some(({ nodes: resters }) => names.some((name) => resters.includes(name))));
  if (isNamed || (isForgotten && size > 0)) objections.push(...(await elsewhereObjections(nodes, acceptor, present)));
  // After a step that was forced there may be copies that nobody in use would find. Of these each is one of the last.
  const missed = present.flatMap(missedBy).find(({ nodes: resters }) => names.some((name) => resters.includes(name)));
  if (missed && objections.length === 0) {
    objections.push({ why: `values may rest on ${setText(missed)} alone`, advice: 'First', steps: [rescanOfEntry(missed)] });
  }
  const isThinned = (configuration: Configuration): boolean => thinnedBy([identity ?? ''], configuration).length > 0;
  const serving = present.find((configuration) => isConfigured(configuration) && isThinned(configuration));
  if (serving && objections.length === 0) {
    const why = `values may rest on ${acceptor} and too few others, since an earlier step`;
    objections.push({ why, advice: 'First', steps: [rescanOf(serving.prepare)] });
  }
  return objections;
}

/** Why nobody would find elsewhere what rests on the acceptor; nothing if a proposer has a prepare quorum that would. */
async function elsewhereObjections(nodes: Nodes, acceptor: string, present: readonly Configuration[]): Promise<Objection[]> {
  const configured = present.filter(isConfigured);
  if (configured.length === 0) {
    const why = `values may rest on ${acceptor}, and no proposer is configured that would find them elsewhere`;
    return [{ why, advice: 'Give the proposers acceptors again first, or start afresh with ./clear.sh' }];
  }
  const known = knownIdentities(present);
  const { unreachable, strangers } = await absenceAmong(nodes, Object.keys(known), known);
  if (!configured.some(({ prepare }) => shortage(prepare, [...unreachable, ...strangers]) > 0)) return [];
  const reasons = [...unreachable.map((name) => `${name} (does not answer)`), ...strangers.map((name) => `${name} (data lost)`)];
  const why = `values may rest on ${acceptor}, and without ${reasons.join(' and ')} no proposer would find them elsewhere`;
  if (unreachable.length > 0) return [{ why, advice: `Start ${unreachable.join(' and ')} and run the command again` }];
  const others = Object.keys(known).filter((name) => !strangers.includes(name));
  return [{ why, ...leavingOut(strangers, others) }];
}
