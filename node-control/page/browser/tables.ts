import type { NodeState, ProposerView, Rates, Snapshot } from '../server/snapshot.js';
import { element, shortName, table } from './element.js';
import { stateText } from './graph.js';

const HEAD = ['proposer', 'state', 'reads', 'writes', 'refused', 'conflicts', 'retries', 'unknown', 'round trips each', 'p50', 'p99'];

/**
 * Which acceptors are asked in each phase: a row for each set, a column for each acceptor, the quorum at the end. One pair of rows where
 * all proposers have the same sets.
 */
export function setsTable({ proposers, acceptors }: Snapshot): HTMLElement {
  const known = proposers.filter(({ sets }) => sets !== undefined);
  const [first] = known;
  const isUniform = known.every(({ sets }) => sameSets(sets) === sameSets(first?.sets));
  const state = known.find((proposer) => !isSilent(proposer.state))?.state ?? 'gone';
  const groups = isUniform && first ? [{ ...first, state, name: 'every proposer' }] : known;
  return element(
    'table',
    { class: isUniform ? 'sets' : 'sets differ' },
    element('caption', { class: 'hidden' }, 'The prepare set and the accept set of each proposer'),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('td'),
        ...acceptors.map(({ name, state }) =>
          element('th', { scope: 'col', class: state }, shortName(name), isSilent(state) ? ` ${stateText(state, '')}` : ''),
        ),
        element('th', { scope: 'col' }, 'quorum'),
      ),
    ),
    ...groups.map((group) =>
      element('tbody', {}, heading(group, acceptors.length), row('prepare', group, acceptors), row('accept', group, acceptors)),
    ),
  );
}

function heading({ name, state, sets }: ProposerView, columns: number): HTMLElement {
  const when = isSilent(state) ? ', last known' : '';
  return element(
    'tr',
    {},
    element('th', { scope: 'rowgroup', colspan: columns + 2 }, name, element('span', {}, ` era ${sets?.era ?? '–'}${when}`)),
  );
}

function row(phase: 'prepare' | 'accept', { sets }: ProposerView, acceptors: Snapshot['acceptors']): HTMLElement {
  const { nodes, quorum } = sets?.[phase] ?? { nodes: [], quorum: 0 };
  const isMember = (index: number): boolean => nodes.includes(acceptors[index]?.name ?? '');
  const cells = acceptors.map(({ state }, index) => {
    if (!isMember(index)) return element('td', {}, element('span', { class: 'out' }, element('span', { class: 'hidden' }, 'no')));
    const edges = `${isMember(index - 1) ? '' : ' first'}${isMember(index + 1) ? '' : ' last'}`;
    const lost = isSilent(state) ? ' lost' : '';
    return element('td', {}, element('span', { class: `band${edges}${lost}` }, element('span', { class: 'hidden' }, 'asked')));
  });
  const size = nodes.length === 0 ? 'nobody' : `${quorum} of ${nodes.length}`;
  return element('tr', { class: phase }, element('th', { scope: 'row' }, phase), ...cells, element('td', { class: 'quorum' }, size));
}

function isSilent(state: NodeState): boolean {
  return state === 'gone' || state === 'hangs';
}

function sameSets(sets: ProposerView['sets']): string {
  return JSON.stringify([sets?.prepare, sets?.accept]);
}

export function proposersTable({ proposers }: Snapshot): HTMLElement {
  const rows = proposers.map(({ name, state, rates }) => [
    name,
    element('span', { class: state }, isRefusing(rates) ? stateText(state, 'answers, refuses') : stateText(state, '')),
    ...[rates?.reads, rates?.writes, rates?.refused, rates?.conflicts, rates?.retries, rates?.unknown].map((count) =>
      count === undefined ? '–' : count.toLocaleString('en'),
    ),
    isDone(rates) && rates?.roundTrips !== undefined ? rates.roundTrips.toFixed(2) : '–',
    durationText(isDone(rates) ? rates?.p50Ms : undefined),
    durationText(isDone(rates) ? rates?.p99Ms : undefined),
  ]);
  return table(['What each proposer did in the last second'], HEAD, rows);
}

/** One that has no quorum is as healthy as before. */
function isRefusing(rates: Rates | undefined): boolean {
  return rates !== undefined && rates.refused > 0 && !isDone(rates);
}

/** How long refusals take is no news of operations. */
function isDone(rates: Rates | undefined): boolean {
  return rates !== undefined && rates.reads + rates.writes > 0;
}

/** @param ms null: JSON has no Infinity */
function durationText(ms: number | null | undefined): string {
  if (ms === undefined) return '–';
  if (ms === null) return 'over 4 s';
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
