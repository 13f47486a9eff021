import { acceptorsOf, type Configuration, isConfigured } from '../../../src/protocol/configuration.js';
import { containsQuorum } from '../../../src/protocol/quorum.js';
import { nowText } from '../../narration/now.js';
import { shortName } from '../../narration/short-name.js';

/** What somebody at the page supposes: acceptors, by name. */
export interface Supposed {
  /** Do not answer. */
  readonly lost: readonly string[];
  /** Answer a prepare. */
  readonly prepare: readonly string[];
  /** Took a write. */
  readonly accept: readonly string[];
}

/** What would follow from it, by the sets that a proposer has. */
export interface Supposition {
  /** Which operations still go through. */
  readonly service: string;
  /** Whether the two are quorums, and meet. */
  readonly meeting: string;
}

/**
 * Judges by the code that the proposers count their votes with. Asks nobody and changes nothing.
 * @param proposer whose configuration it is
 */
export function whatIf(proposer: string, configuration: Configuration, supposed: Supposed): Supposition {
  if (!isConfigured(configuration)) return { service: nowText([{ name: proposer, configuration }], NONE_MISSING), meeting: '' };
  return { service: serviceText(proposer, configuration, supposed.lost), meeting: meetingText(configuration, supposed) };
}

const NONE_MISSING = { acceptors: [], proposers: [] };

function serviceText(name: string, configuration: Configuration, lost: readonly string[]): string {
  const others = acceptorsOf(configuration).filter((acceptor) => !lost.includes(acceptor));
  const text = nowText([{ name, configuration }], { acceptors: lost, proposers: [] });
  const [canPrepare, canAccept] = [containsQuorum(configuration.prepare, others), containsQuorum(configuration.accept, others)];
  if (canPrepare && canAccept) return `${text} Reads and writes go through.`;
  if (canPrepare) return `${text} A round can begin, but no accept quorum takes its value: no read and no write goes through.`;
  if (canAccept) return `${text} No round can begin. Only a write whose promise was given before may still go through.`;
  return `${text} No read and no write goes through.`;
}

function meetingText({ prepare, accept }: Configuration, supposed: Supposed): string {
  if (supposed.prepare.length === 0 || supposed.accept.length === 0) return '';
  if (!containsQuorum(prepare, supposed.prepare))
    return `${listed(supposed.prepare)}: no prepare quorum, since ${prepare.quorum} of ${listed(prepare.nodes)} must answer.`;
  if (!containsQuorum(accept, supposed.accept))
    return `${listed(supposed.accept)}: no accept quorum, since ${accept.quorum} of ${listed(accept.nodes)} must take a write.`;
  const [asked, took] = [supposed.prepare, supposed.accept].map((names) => listed(names));
  const common = supposed.prepare.filter((name) => supposed.accept.includes(name));
  if (common.length === 0) return `They do not meet: a round that asks ${asked} would not see a write that ${took} took.`;
  return `They meet in ${listed(common)}: a round that asks ${asked} sees the write that ${took} took.`;
}

function listed(names: readonly string[]): string {
  return names.map(shortName).join(' and ');
}
