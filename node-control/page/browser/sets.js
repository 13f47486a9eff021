import { element, shortName } from './element.js';

/** @import { NodeState, Snapshot, ProposerView } from '../server/snapshot.js' */

/**
 * Which acceptors are asked in each phase: a row for each set, a column for each acceptor, the quorum at the end. One pair of rows where
 * all proposers have the same sets.
 *
 * @param {Snapshot} snapshot
 * @returns {HTMLElement}
 */
export function setsTable({ proposers, acceptors }) {
  const known = proposers.filter(({ sets }) => sets !== undefined);
  const [first] = known;
  const isUniform = known.every(({ sets }) => sameSets(sets) === sameSets(first?.sets));
  const state = known.find((proposer) => !isSilent(proposer.state))?.state ?? 'gone';
  const groups = isUniform && first ? [{ ...first, state, name: 'every proposer' }] : known;
  const names = acceptors.map(({ name }) => name);
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
        ...acceptors.map(({ name, state }) => element('th', { scope: 'col', class: state }, shortName(name))),
        element('th', { scope: 'col' }, 'quorum'),
      ),
    ),
    ...groups.map((group) => element('tbody', {}, heading(group, names.length), row('prepare', group, names), row('accept', group, names))),
  );
}

/** @param {ProposerView} group @param {number} columns */
function heading({ name, state, sets }, columns) {
  const when = isSilent(state) ? ', last known' : '';
  return element(
    'tr',
    {},
    element('th', { scope: 'rowgroup', colspan: columns + 2 }, name, element('span', {}, ` era ${sets?.era ?? '–'}${when}`)),
  );
}

/** @param {'prepare' | 'accept'} phase @param {ProposerView} group @param {readonly string[]} acceptors */
function row(phase, { sets }, acceptors) {
  const { nodes, quorum } = sets?.[phase] ?? { nodes: [], quorum: 0 };
  const isMember = (/** @type {number} */ index) => nodes.includes(acceptors[index] ?? '');
  const cells = acceptors.map((_, index) => {
    if (!isMember(index)) return element('td', {}, element('span', { class: 'out' }, element('span', { class: 'hidden' }, 'no')));
    const edges = `${isMember(index - 1) ? '' : ' first'}${isMember(index + 1) ? '' : ' last'}`;
    return element('td', {}, element('span', { class: `band${edges}` }, element('span', { class: 'hidden' }, 'asked')));
  });
  const size = nodes.length === 0 ? 'nobody' : `${quorum} of ${nodes.length}`;
  return element('tr', { class: phase }, element('th', { scope: 'row' }, phase), ...cells, element('td', { class: 'quorum' }, size));
}

/** @param {NodeState} state */
function isSilent(state) {
  return state === 'gone' || state === 'hangs';
}

/** @param {ProposerView['sets']} sets */
function sameSets(sets) {
  return JSON.stringify([sets?.prepare, sets?.accept]);
}
