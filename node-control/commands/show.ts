import { UnfitAcceptor } from '../../src/protocol/errors.js';
import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import { ifNoAnswer } from '../../src/http/client.js';
import { flawText } from '../../src/redis/fitness.js';
import { memoryText } from '../../src/redis/memory-use.js';
import { countText, countTombstones, type TombstoneCount } from '../collection/sample.js';
import { type Member, type MemberAnswer, missingAmong, type Nodes, reachedAmong } from '../nodes/nodes.js';
import { adviceText, commandLine, ControlError } from '../safety/objection.js';
import { alwaysMeet, identified, missedBy, setText } from '../safety/guard.js';
import { knownIdentities } from '../safety/identities.js';
import { rescanOf, rescanOfEntry } from '../safety/plan.js';
import { absenceAmong, objectionsTo } from '../step/absence.js';
import { leavingBehind, leftOutObjections, leftOutOf } from '../step/left-out.js';
import { formatTable } from '../terminal/report.js';
import { erasApart } from '../narration/now.js';
import type { Silent } from '../narration/way-out.js';
import { headline } from './headline.js';

/** Names every node that the other commands take. */
export function ls(nodes: Nodes): string[] {
  return [...nodes.members.map(({ name }) => name), ...nodes.acceptors];
}

/** The configurations, as JSON by proposer. */
export async function dump(nodes: Nodes, selection: string): Promise<string[]> {
  const selected = nodes.select(selection);
  const answers = (await nodes.tryReadAll()).filter(({ member }) => selected.includes(member));
  assertReached(answers);
  return [JSON.stringify(Object.fromEntries(answers.map(({ member, configuration }) => [member.name, configuration])), null, 2)];
}

/** One glance at the state: every proposer with its sets, every acceptor with its keys, and what is not as it should be. */
export async function status(nodes: Nodes, print: (line: string) => void): Promise<void> {
  const present = await nodes.tryReadAll();
  const starts = await Promise.all(
    present.map(({ member, configuration }) => (configuration ? startOf(member) : Promise.resolve(undefined))),
  );
  const seen = await Promise.all(nodes.acceptors.map((name) => lookAt(nodes, name)));
  const troubles = await Promise.all(
    present.map(({ member, configuration }) => (configuration ? troublesOf(member) : Promise.resolve([]))),
  );
  const members = reachedAmong(present);
  const configurations = members.map(({ configuration }) => configuration);
  const listed = [...new Set(configurations.flatMap(acceptorsOf))];
  const { strangers, wentBack, unreachable } = await absenceAmong(nodes, listed, knownIdentities(configurations));

  const rows = [['NODE', 'STATE', 'ERA', 'PREPARE', 'ACCEPT', 'KEYS']];
  for (const { member, configuration } of present) {
    const cells = configuration
      ? ['reachable', String(configuration.era), cellText(configuration.prepare), cellText(configuration.accept), '-']
      : ['unreachable', '-', '-', '-', '-'];
    rows.push([member.name, ...cells]);
  }
  nodes.acceptors.forEach((name, index) => {
    const role = (phase: 'prepare' | 'accept'): string =>
      configurations.some((configuration) => configuration[phase].nodes.includes(name)) ? 'listed' : '-';
    const { size, flaws = [], held } = seen[index] ?? {};
    const isUnreachable = size === undefined && flaws.length === 0;
    const isUsed = flaws.length === 0 && !strangers.includes(name);
    const state = held ? 'held' : isUnreachable ? 'unreachable' : isUsed ? 'reachable' : 'not used';
    rows.push([name, state, '-', role('prepare'), role('accept'), String(size ?? '?')]);
  });
  for (const line of formatTable(rows)) print(line);
  const told = members.map(({ member: { name }, configuration }) => ({ name, configuration }));
  const unused = nodes.acceptors.filter(
    (name, index) => strangers.includes(name) || seen[index]?.held !== undefined || (seen[index]?.flaws.length ?? 0) > 0,
  );
  const answering = listed.filter((name) => !unreachable.includes(name));
  const leftOut = leftOutObjections(await leftOutOf(nodes, members, answering), leavingBehind(members));
  const silentAmong = (names: readonly string[]): Promise<Silent[]> =>
    Promise.all(names.map(async (name) => ({ name, hangs: await nodes.isListening(name) })));
  const silent = {
    proposers: await silentAmong(missingAmong(present)),
    acceptors: await silentAmong(nodes.acceptors.filter((_, index) => !seen[index])),
  };
  for (const line of await headline(nodes, told, silent, unused)) print(line);

  const notes = [
    ...numberNotes(starts.map((start) => start?.proposer)),
    ...present.flatMap(({ member }, index) => oldStateNotes(member.name, starts[index]?.oldState)),
    ...leftOut.map((objection) => `${objection.why}. ${adviceText(objection)}.`),
    ...(erasApart(told) ? [] : differenceNotes(configurations)),
    ...nodes.acceptors.flatMap((name, index) => heldLines(name, seen[index]?.held)),
    ...nodes.acceptors.flatMap((name, index) => (seen[index]?.flaws ?? []).map((flaw) => `${name}: ${flaw}.`)),
    ...nodes.acceptors.flatMap((name, index) => (seen[index]?.cautions ?? []).map((caution) => `${name}: ${caution}.`)),
    ...troubles.flat(),
    ...objectionsTo({ strangers, wentBack }, listed).map((objection) => `${objection.why}. ${adviceText(objection)}.`),
    ...listed
      .filter((name) => !nodes.acceptors.includes(name))
      .map((name) => `A proposer lists ${name}, which this control node does not know.`),
    ...restingNotes(configurations),
    ...tombstoneNotes(listed, nodes.acceptors, seen),
    ...[...new Set(configurations.flatMap(({ forced }) => forced ?? []))].map((record) => `Forced: ${record}.`),
  ];
  for (const note of notes) print(note);

  assertReached(present);
}

function assertReached(answers: readonly MemberAnswer[]): void {
  const missing = missingAmong(answers);
  if (missing.length > 0) throw new ControlError(`${missing.join(' and ')} cannot be reached`);
}

function numberNotes(numbers: readonly (number | undefined)[]): string[] {
  const known = numbers.filter((number) => number !== undefined);
  if (new Set(known).size === known.length) return [];
  return ['Two proposers have the same number, so they may use the same ballots. Stop one and give it a PROPOSER_ID of its own.'];
}

function differenceNotes(configurations: readonly Configuration[]): string[] {
  const isSplit = new Set(configurations.map((configuration) => JSON.stringify(configuration))).size > 1;
  return isSplit ? ['The proposers differ: a step is under way or was interrupted. Run it again, for all.'] : [];
}

/** What a prepare set like the present accept set could miss: the step towards it will be refused before a rescan. */
function restingNotes(configurations: readonly Configuration[]): string[] {
  const [first] = configurations.filter(isConfigured);
  if (!first) return [];
  const present = identified(first.accept, first);
  const missed = (first.resting ?? []).filter((entry) => !alwaysMeet(present, entry));
  if (missed.length === 0) return [];
  const [unmet] = missedBy(first);
  return [
    adviceText({
      advice: `Values may rest on ${missed.map(setText).join(', and on ')} alone. Before the prepare set is made like the accept set, a rescan has to bring them along`,
      steps: [unmet ? rescanOfEntry(unmet) : rescanOf(first.prepare)],
    }),
  ];
}

/** Of the acceptors that a collection is about. One that went on without hearing of a deletion holds an older value in place of the tombstone. */
function tombstoneNotes(listed: readonly string[], names: readonly string[], seen: readonly (Seen | undefined)[]): string[] {
  const counts = names.flatMap((name, index) => {
    const { tombstones } = seen[index] ?? {};
    return tombstones && tombstones.count > 0 && listed.includes(name) ? [`${countText(tombstones)} on ${name}`] : [];
  });
  if (counts.length === 0) return [];
  return [`${adviceText({ advice: `Tombstones of deleted keys: ${counts.join(', ')}. To remove them`, steps: [{ verb: 'collect' }] })}.`];
}

function cellText({ nodes, quorum }: Configuration['prepare']): string {
  return nodes.length === 0 ? 'none' : `${quorum} of ${nodes.join(' ')}`;
}

function heldLines(name: string, held: readonly string[] | undefined): string[] {
  return (held ?? []).map((line, index) => (index === 0 ? `${name}: ${line}` : `  ${line}`));
}

function oldStateNotes(name: string, oldState: string | undefined): string[] {
  const wayOut = commandLine({ verb: 'copy', from: 'OTHER-PROPOSER', proposers: name });
  return oldState === undefined ? [] : [`${name}: ${oldState}; to give it those: ${wayOut}.`];
}

async function startOf({ admin }: Member): Promise<{ proposer: number; oldState?: string } | undefined> {
  const answer = await admin.identity().catch(ifNoAnswer);
  return answer?.ok ? answer.body : undefined;
}

/** What keeps acceptors from doing what this proposer tells them, though they answer. */
async function troublesOf({ name: proposer, admin }: Member): Promise<string[]> {
  const answer = await admin.acceptors?.().catch(ifNoAnswer);
  if (!answer?.ok) return [];
  return answer.body.flatMap(({ name, trouble }) => {
    if (!trouble) return [];
    return [`${name} does not do what ${proposer} tells it, since ${new Date(trouble.sinceMs).toISOString()}: ${trouble.text}.`];
  });
}

/** What status tells of an acceptor. */
interface Seen {
  /** The number of its keys. */
  readonly size?: number;
  readonly tombstones?: TombstoneCount | undefined;
  /** Why it is not used. */
  readonly flaws: readonly string[];
  readonly cautions: readonly string[];
  /** Why it does not serve, and what to do, line by line; if `acceptor/start.sh` holds it. */
  readonly held?: readonly string[] | undefined;
}

/** Undefined if it cannot be reached, and nobody knows why. */
async function lookAt(nodes: Nodes, name: string): Promise<Seen | undefined> {
  try {
    return await nodes.withAcceptor(name, async (admin) => {
      const { flaws, cautions, memoryUsed } = (await admin.fitness?.('nothing')) ?? { flaws: [], cautions: [], memoryUsed: undefined };
      const memory = memoryText(memoryUsed);
      const size = await admin.size();
      // One that does not list its keys answers all the same.
      const tombstones = await countTombstones(admin, size).catch(() => undefined);
      return { size, tombstones, flaws: flaws.map(flawText), cautions: memory === undefined ? cautions : [...cautions, memory] };
    });
  } catch (error) {
    if (error instanceof UnfitAcceptor) return { flaws: [error.message], cautions: [] };
    const held = await nodes.heldNotes?.(name);
    return held && { flaws: [], cautions: [], held };
  }
}
