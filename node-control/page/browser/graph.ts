import type { FunnelSecond, Snapshot, NodeState, ProposerView } from '../server/snapshot.js';
import { narrow, shortName, svg } from './element.js';

interface Point {
  readonly x: number;
  readonly y: number;
}

const SIZE = { width: 540, height: 310 };
const UPRIGHT_SIZE = { width: 360, height: 305 };
const BOX = { width: 112, height: 54 };
const CLIENT = { x: 72, y: 110 };
const CONTROL = { x: 72, y: 230 };
const PROPOSER_X = 252;
const ACCEPTOR_X = 468;
/** Between the two lines of a proposer to an acceptor, and their middle. */
const STRAND = 4;

const STATES: Record<NodeState, { sign: string; text: string }> = {
  healthy: { sign: '●', text: 'healthy' },
  slow: { sign: '◐', text: 'slow' },
  gone: { sign: '✕', text: 'gone' },
  hangs: { sign: '✕', text: 'hangs' },
  stranger: { sign: '▲', text: 'wrong identity' },
  unfit: { sign: '▲', text: 'unfit' },
  held: { sign: '✕', text: 'held' },
  loading: { sign: '◐', text: 'loading' },
};

/** The seven nodes, and a line for each acceptor that a proposer asks in a phase. @param second the last that the clients told of */
export function graph({ proposers, acceptors, isClientRunning }: Snapshot, second?: FunnelSecond): SVGElement {
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
  const { width, height } = narrow.matches ? UPRIGHT_SIZE : SIZE;
  return svg(
    'svg',
    {
      viewBox: `0 0 ${width} ${height}`,
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

function clientText(isRunning: boolean, second?: FunnelSecond): string {
  if (!isRunning) return 'does not run';
  if (second === undefined || second.writes > 0) return 'writes';
  return second.attempts === 0 ? 'waits' : 'is refused';
}

function keysText(keys: number): string {
  return `${keys.toLocaleString('en')} ${keys === 1 ? 'key' : 'keys'}`;
}

export function stateText(state: NodeState, more: string): string {
  const { sign, text } = STATES[state];
  return state === 'healthy' && more !== '' ? `${sign} ${more}` : `${sign} ${text}`;
}

function strands({ state, sets }: ProposerView, acceptor: { name: string; state: NodeState }, from: Point, to: Point): SVGElement[] {
  const broken = [state, acceptor.state].some((one) => one !== 'healthy' && one !== 'slow') ? ' broken' : '';
  const asked = (['prepare', 'accept'] as const).filter((phase) => sets?.[phase].nodes.includes(acceptor.name));
  if (asked.length === 0) return [line(from, to, 'unused')];
  return asked.map((phase) => line(from, to, `${phase}${broken}`, phase === 'prepare' ? -STRAND : STRAND));
}

/** On a narrow screen the drawing stands upright: lying, its letters would be half as large as the text. */
function placed({ x, y }: Point): Point {
  if (!narrow.matches) return { x, y };
  return { x: 60 + ((y - 45) * 240) / 220, y: 30 + ((x - CLIENT.x) * 245) / (ACCEPTOR_X - CLIENT.x) };
}

/** @param shift of a line beside another one */
function line(from: Point, to: Point, kind: string, shift = 0): SVGElement {
  const [start, end] = [placed(from), placed(to)];
  const ends = narrow.matches
    ? { x1: start.x + shift, y1: start.y + BOX.height / 2, x2: end.x + shift, y2: end.y - BOX.height / 2 }
    : { x1: start.x + BOX.width / 2, y1: start.y + shift, x2: end.x - BOX.width / 2, y2: end.y + shift };
  return svg('line', { ...ends, class: `line ${kind}` });
}

/** @param remark for who points at it */
function box(center: Point, name: string, text: string, state: string, remark?: string): SVGElement {
  const { x, y } = placed(center);
  return svg(
    'g',
    { class: `node ${state}`, transform: `translate(${x} ${y})` },
    ...(remark === undefined ? [] : [svg('title', {}, remark)]),
    svg('rect', { x: -BOX.width / 2, y: -BOX.height / 2, width: BOX.width, height: BOX.height, rx: 9 }),
    svg('text', { y: -5, class: 'name' }, name),
    svg('text', { y: 15, class: 'state' }, text),
  );
}

function spread(x: number, count: number, top: number, bottom: number): Point[] {
  return Array.from({ length: count }, (_, index) => ({
    x,
    y: count === 1 ? (top + bottom) / 2 : top + ((bottom - top) * index) / (count - 1),
  }));
}

function at(points: readonly Point[], index: number): Point {
  return points[index] ?? { x: 0, y: 0 };
}
