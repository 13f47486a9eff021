import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import { alwaysMeet, identified, setsKey } from '../safety/guard.js';
import { commandLine } from '../safety/objection.js';
import { shortName } from './short-name.js';

/** The configuration that a proposer told, with its name. */
export interface NamedConfiguration {
  readonly name: string;
  readonly configuration: Configuration;
}

/** Who cannot help at this moment, by name. */
export interface Missing {
  /** Acceptors that do not answer, are strangers, or are unfit. */
  readonly acceptors: readonly string[];
  /** Proposers that do not answer. */
  readonly proposers: readonly string[];
}

/** What the present configurations mean, in a sentence or two. @param told by the proposers that answer */
export function nowText(told: readonly NamedConfiguration[], missing: Missing): string {
  const [first] = told.map(({ configuration }) => configuration);
  // Their names may be lost, or this node cut off, while clients reach them.
  if (!first) return 'No proposer answers the control node, so what clients are served is not known: nothing, if none runs.';
  const silent = missing.proposers.map(shortName).join(' and ');
  const rest = `${silent} ${missing.proposers.length === 1 ? 'does' : 'do'} not answer: whoever asks there waits or fails`;
  const others = told.map(({ name }) => shortName(name)).join(' and ');
  const behind = leftBehind(told);
  if (behind) return leftBehindText(...behind);
  const apart = erasApart(told);
  if (apart) return erasApartText(...apart);
  if (new Set(told.map(({ configuration }) => setsKey(configuration))).size > 1) return differing(told);
  if (!isConfigured(first)) return `${withoutSets(first)}${silent === '' ? '' : ` ${rest}.`}`;
  const { prepare, accept } = first;
  const text = `Prepare ${sizeText(prepare)}, accept ${sizeText(accept)}: ${serviceText(first, missing.acceptors)}`;
  if (silent === '') return text;
  const isServed = lossesBorne(first, left(first, missing.acceptors)) >= 0;
  return `${text} ${rest}${isServed ? `; ${others} serves everything` : ''}.`;
}

function differing(told: readonly NamedConfiguration[]): string {
  const idle = told.filter(({ configuration }) => !isConfigured(configuration)).map(({ name }) => name);
  const [serving] = told.filter(({ configuration }) => isConfigured(configuration)).map(({ name }) => name);
  const start = 'The proposers differ: one has taken a step, the other not yet.';
  if (idle.length === 0) return `${start} All serve, since their quorums meet.`;
  if (serving === undefined) return `${start} None has both sets yet, so every operation is refused.`;
  return `The proposers differ: ${serving} serves, but every operation through ${idle.join(' and ')}, which lacks a set, is refused.`;
}

/** Whoever was asked in the middle of several steps may have been asked before one and after another: only what lasts proves something. */
function leftBehindText(old: string, present: string): string {
  return (
    `The proposers differ: quorums of ${old} and ${present} miss each other. If that lasts, the state folder of ${old} went back, and no acceptor of its sets is left to ` +
    `say so: stop ${old}, remove its configuration.json, start it, and then: ${commandLine({ verb: 'copy', from: present, proposers: old })}`
  );
}

/** A round is refused by each acceptor that has seen an era which its proposer does not reach. */
function erasApartText(earliest: NamedConfiguration, latest: NamedConfiguration): string {
  const [old, present] = [earliest.name, latest.name];
  return (
    `The proposers differ: ${old} is of era ${earliest.configuration.era}, ${present} of era ${latest.configuration.era}. If that lasts, ${old} refuses every key that was ` +
    `written since: ${commandLine({ verb: 'copy', from: present, proposers: old })}`
  );
}

/** The two proposers with sets that are furthest apart, where that is more than the one era of the middle of a step. */
export function erasApart(
  told: readonly NamedConfiguration[],
): readonly [earliest: NamedConfiguration, latest: NamedConfiguration] | undefined {
  const byEra = told.filter(({ configuration }) => isConfigured(configuration)).sort((a, b) => a.configuration.era - b.configuration.era);
  const [earliest, latest] = [byEra[0], byEra.at(-1)];
  return earliest && latest && latest.configuration.era - earliest.configuration.era > 1 ? [earliest, latest] : undefined;
}

/**
 * Of two proposers whose quorums miss each other the one of the earlier era, and the other one. No step that the guard lets through leads there; one that was
 * forced may, in its middle.
 */
export function leftBehind(told: readonly NamedConfiguration[]): readonly [old: string, present: string] | undefined {
  const [old, present] = erasApart(told) ?? [];
  if (!old || !present) return undefined;
  const meets = (a: Configuration, b: Configuration): boolean => alwaysMeet(identified(a.prepare, a), identified(b.accept, b));
  const [before, now] = [old.configuration, present.configuration];
  return meets(before, now) && meets(now, before) ? undefined : [old.name, present.name];
}

function withoutSets({ prepare, accept, era }: Configuration): string {
  if (prepare.nodes.length > 0) return 'The accept set is still empty, so every operation is refused.';
  if (accept.nodes.length > 0) return 'The prepare set is still empty, so every operation is refused.';
  return `No proposer has acceptors${era === 0 ? ' yet' : ' any more'}, so every operation is refused.`;
}

function serviceText(configuration: Configuration, lost: readonly string[]): string {
  const missing = acceptorsOf(configuration).filter((name) => lost.includes(name));
  const others = left(configuration, lost);
  const spare = lossesBorne(configuration, others);
  const without = missing.length === 0 ? '' : ` without ${missing.map(shortName).join(' and ')}`;
  if (spare < 0) return `does not serve${without}: no quorum answers.`;
  if (spare === 0) {
    if (others.length === 1) return `serves${without} while ${shortName(others[0] ?? '')} does.`;
    const critical = others.filter((name) => lossesBorne(configuration, left(configuration, [...lost, name])) < 0);
    return `serves${without}, and stops if ${critical.map(shortName).join(' or ')} is lost.`;
  }
  const more = without === '' ? '' : ' more';
  return `serves on${without} with any ${spare === 1 ? `one${more} acceptor` : `${spare}${more} acceptors`} lost.`;
}

function left(configuration: Configuration, lost: readonly string[]): string[] {
  return acceptorsOf(configuration).filter((name) => !lost.includes(name));
}

/** How many of these acceptors may be lost, whichever they are. -1: not even without a loss is there a quorum. */
export function lossesBorne({ prepare, accept }: Configuration, among: readonly string[]): number {
  const spare = ({ nodes, quorum }: QuorumSet): number => nodes.filter((name) => among.includes(name)).length - quorum;
  return Math.max(-1, Math.min(spare(prepare), spare(accept)));
}

function sizeText({ nodes, quorum }: QuorumSet): string {
  return `${quorum} of ${nodes.length}`;
}
