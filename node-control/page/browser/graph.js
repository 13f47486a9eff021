import { shortName, svg } from './element.js';

/** @import { FunnelSecond, Snapshot, NodeState, ProposerView } from '../server/snapshot.js' */

const SIZE = { width: 540, height: 310 };
const BOX = { width: 112, height: 54 };
const CLIENT = { x: 72, y: 110 };
const CONTROL = { x: 72, y: 230 };
const PROPOSER_X = 252;
const ACCEPTOR_X = 468;
/** Between the two lines of a proposer to an acceptor, and their middle. */
const STRAND = 4;

/** @type {Record<NodeState, { sign: string, text: string }>} */
const STATES = {
  healthy: { sign: '●', text: 'healthy' },
  slow: { sign: '◐', text: 'slow' },
  gone: { sign: '✕', text: 'gone' },
  hangs: { sign: '✕', text: 'hangs' },
  stranger: { sign: '▲', text: 'wrong identity' },
  unfit: { sign: '▲', text: 'unfit' },
  held: { sign: '✕', text: 'held' },
};

/**
 * The seven nodes, and a line for each acceptor that a proposer asks in a phase.
 *
 * @param {Snapshot} snapshot
 * @param {FunnelSecond} [second] the last that the clients told of
 * @returns {SVGElement}
 */
export function graph({ proposers, acceptors, isClientRunning }, second) {
  const proposerAt = spread(PROPOSER_X, proposers.length, 110, 230);
  const acceptorAt = spread(ACCEPTOR_X, acceptors.length, 45, 265);
  const lines = proposers.flatMap((proposer, index) => [
    line(CLIENT, at(proposerAt, index), isClientRunning ? 'client' : 'client idle'),
    line(CONTROL, at(proposerAt, index), 'control'),
    ...acceptors.flatMap((acceptor, other) => strands(proposer, acceptor, at(proposerAt, index), at(acceptorAt, other))),
  ]);
  const label = [
    ...proposers.map(({ name, state, sets }) => `${name} ${STATES[state].text}${sets ? `, era ${sets.era}` : ''}`),
    ...acceptors.map(
      ({ name, state, keys, remark }) =>
        `${shortName(name)} ${STATES[state].text}${keys === undefined ? '' : `, ${keysText(keys)}`}${remark === undefined ? '' : `, ${remark}`}`,
    ),
  ];
  return svg(
    'svg',
    {
      viewBox: `0 0 ${SIZE.width} ${SIZE.height}`,
      role: 'img',
      'aria-label': [isClientRunning ? 'a client runs' : 'no client runs', ...label].join('; '),
    },
    ...lines,
    box(CLIENT, 'client', clientText(isClientRunning, second), isClientRunning ? 'healthy' : 'idle'),
    box(CONTROL, 'control', 'this page', 'healthy'),
    ...proposers.map(({ name, state, sets }, index) =>
      box(at(proposerAt, index), name, stateText(state, sets ? `era ${sets.era}` : ''), state),
    ),
    ...acceptors.map(({ name, state, keys, remark }, index) => {
      const hasDisk = state !== 'stranger' || remark === undefined;
      const text = hasDisk ? stateText(state, keys === undefined ? '' : keysText(keys)) : `${STATES[state].sign} disk went back`;
      return box(at(acceptorAt, index), shortName(name), text, state, remark);
    }),
  );
}

/** @param {boolean} isRunning @param {FunnelSecond} [second] */
function clientText(isRunning, second) {
  if (!isRunning) return 'does not run';
  if (second === undefined || second.writes > 0) return 'writes';
  return second.attempts === 0 ? 'waits' : 'is refused';
}

/** @param {number} keys */
function keysText(keys) {
  return `${keys.toLocaleString('en')} ${keys === 1 ? 'key' : 'keys'}`;
}

/** @param {NodeState} state @param {string} more */
export function stateText(state, more) {
  const { sign, text } = STATES[state];
  return state === 'healthy' && more !== '' ? `${sign} ${more}` : `${sign} ${text}`;
}

/**
 * @param {ProposerView} proposer
 * @param {{ name: string, state: NodeState }} acceptor
 * @param {Point} from
 * @param {Point} to
 */
function strands({ state, sets }, acceptor, from, to) {
  const broken = [state, acceptor.state].some((one) => one !== 'healthy' && one !== 'slow') ? ' broken' : '';
  const shifted = (/** @type {number} */ by) => [
    { x: from.x, y: from.y + by },
    { x: to.x, y: to.y + by },
  ];
  const asked = /** @type {const} */ (['prepare', 'accept']).filter((phase) => sets?.[phase].nodes.includes(acceptor.name));
  if (asked.length === 0) return [line(from, to, 'unused')];
  return asked.map((phase) => {
    const [start = from, end = to] = shifted(phase === 'prepare' ? -STRAND : STRAND);
    return line(start, end, `${phase}${broken}`);
  });
}

/** @typedef {{ x: number, y: number }} Point */

/** @param {Point} from @param {Point} to @param {string} kind */
function line(from, to, kind) {
  return svg('line', { x1: from.x + BOX.width / 2, y1: from.y, x2: to.x - BOX.width / 2, y2: to.y, class: `line ${kind}` });
}

/** @param {Point} center @param {string} name @param {string} text @param {string} state @param {string} [remark] for who points at it */
function box({ x, y }, name, text, state, remark) {
  return svg(
    'g',
    { class: `node ${state}`, transform: `translate(${x} ${y})` },
    ...(remark === undefined ? [] : [svg('title', {}, remark)]),
    svg('rect', { x: -BOX.width / 2, y: -BOX.height / 2, width: BOX.width, height: BOX.height, rx: 9 }),
    svg('text', { y: -5, class: 'name' }, name),
    svg('text', { y: 15, class: 'state' }, text),
  );
}

/** @param {number} x @param {number} count @param {number} top @param {number} bottom @returns {Point[]} */
function spread(x, count, top, bottom) {
  return Array.from({ length: count }, (_, index) => ({
    x,
    y: count === 1 ? (top + bottom) / 2 : top + ((bottom - top) * index) / (count - 1),
  }));
}

/** @param {readonly Point[]} points @param {number} index @returns {Point} */
function at(points, index) {
  return points[index] ?? { x: 0, y: 0 };
}
