import { type Attributes, narrow, svg } from '../element.js';

/** Proposers are named p1, p2, acceptors a1, a2, a3. */
interface DrawnNode {
  readonly name: string;
  /** What else it is called. */
  readonly title?: string;
  readonly isUp: boolean;
  readonly isCut: boolean;
  /** Why it is not up. */
  readonly remark?: string;
}

export interface DrawnProposer extends DrawnNode {
  readonly era: number;
  readonly prepare: { readonly nodes: readonly string[] };
  readonly accept: { readonly nodes: readonly string[] };
}

/** An acceptor, and what it holds of the key. */
export interface DrawnAcceptor extends DrawnNode {
  /** Whether nothing is known of that. */
  readonly isUntold?: boolean;
  readonly promise: string | undefined;
  readonly ballot: string | undefined;
  /** The number of the proposer of that ballot; 0: none. */
  readonly proposer: number;
  /** A value, a comma and its version. */
  readonly held: string | undefined;
  readonly floor: string | undefined;
}

/** A message under way. */
export interface DrawnParcel {
  readonly number: number;
  readonly from: string;
  readonly to: string;
  /** In a word. */
  readonly label: string;
  readonly text: string;
  readonly isReply: boolean;
  readonly isPassable: boolean;
}

/** What is drawn: of the playground's stage, or of a key that is watched. */
interface Drawn<Parcel> {
  readonly proposers: readonly DrawnProposer[];
  readonly acceptors: readonly DrawnAcceptor[];
  readonly parcels: readonly Parcel[];
  readonly key: string;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const LYING = { width: 640, height: 380 };
const UPRIGHT = { width: 370, height: 470 };
const PROPOSER = { width: 116, height: 56 };
const ACCEPTOR = { width: 150, height: 92 };
const UPRIGHT_ACCEPTOR = { width: 112, height: 104 };
const PILL_HEIGHT = 24;
/** Of a letter, in a pill say, of a bold one, and what is left and right of all. */
const [LETTER, BOLD_LETTER, MARGIN] = [7, 7.8, 18];
/** Between requests and answers on one line. */
const APART = 15;
/** Of messages on one line, in each direction, so many are drawn one by one. */
const DRAWN_MAX = 3;

/** The nodes, what each acceptor holds of the key, and every message under way. @param onChoice called with a message that is clicked */
export function drawing<Parcel extends DrawnParcel>(view: Drawn<Parcel>, onChoice: (parcel: Parcel) => void): SVGElement {
  const { proposers, acceptors, parcels, key } = view;
  const more = room(acceptors.length);
  const { width, height } = narrow.matches ? { ...UPRIGHT, width: UPRIGHT.width + more } : { ...LYING, height: LYING.height + more };
  const places = new Map<string, Point>();
  proposers.forEach(({ name }, index) => places.set(name, place(0, index, proposers.length, more)));
  acceptors.forEach(({ name }, index) => places.set(name, place(1, index, acceptors.length, more)));
  places.set('control', narrow.matches ? { x: 185 + more / 2, y: 250 } : { x: 70, y: 345 + more });
  const lines = proposers.flatMap((proposer) =>
    acceptors.map((acceptor) => {
      const isAsked = proposer.prepare.nodes.includes(acceptor.name) || proposer.accept.nodes.includes(acceptor.name);
      const isCut = proposer.isCut || acceptor.isCut;
      return line(at(places, proposer.name), at(places, acceptor.name), isCut ? 'line broken' : isAsked ? 'line' : 'line unused');
    }),
  );
  return svg(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label(view) },
    ...lines,
    ...proposers.map((proposer) => proposerBox(proposer, at(places, proposer.name))),
    ...acceptors.map((acceptor) => acceptorBox(acceptor, at(places, acceptor.name), key)),
    ...(parcels.some(({ from, to }) => from === 'control' || to === 'control') ? [controlBox(at(places, 'control'))] : []),
    ...pills(parcels, places, onChoice),
  );
}

/** What is needed beside the room for three. @param count of acceptors */
function room(count: number): number {
  return Math.max(0, count - 3) * (narrow.matches ? 123 : 104);
}

/** @param more see `room` */
function place(side: number, index: number, count: number, more: number): Point {
  const share = count === 1 ? 0.5 : index / (count - 1);
  // Two proposers stand closer to the middle.
  const inwards = side === 0 && count <= 2 ? 18 : 0;
  if (narrow.matches) return { x: 62 + inwards + (246 - 2 * inwards + more) * share, y: side === 0 ? 40 : 405 };
  return side === 0 ? { x: 70, y: 95 + more / 2 + 170 * share } : { x: 552, y: 58 + (262 + more) * share };
}

function at(places: Map<string, Point>, name: string): Point {
  return places.get(name) ?? { x: 0, y: 0 };
}

function line(from: Point, to: Point, kind: string): SVGElement {
  return svg('line', { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: kind });
}

function proposerBox({ name, title, isUp, isCut, remark = '✕ down', era }: DrawnProposer, { x, y }: Point): SVGElement {
  const { width, height } = PROPOSER;
  return svg(
    'g',
    { class: `node ${state(isUp, isCut)} ${colour(Number(name.slice(1)))}`, transform: `translate(${x} ${y})` },
    svg('rect', { x: -width / 2, y: -height / 2, width, height, rx: 9 }),
    svg('text', { y: -4, class: 'name' }, title ?? `proposer ${name.slice(1)}`),
    svg('text', { y: 16, class: 'state' }, isUp ? (isCut ? '✕ cut off' : `era ${era}`) : remark),
  );
}

/** Only while it copies registers: what else it asks is answered at once. */
function controlBox({ x, y }: Point): SVGElement {
  return svg(
    'g',
    { class: 'node', transform: `translate(${x} ${y})` },
    svg('rect', { x: -50, y: -18, width: 100, height: 36, rx: 9 }),
    svg('text', { y: 5, class: 'name' }, 'control'),
  );
}

function acceptorBox(
  { name, title, isUp, isCut, remark = '✕ down', isUntold, promise, ballot, proposer, held, floor }: DrawnAcceptor,
  { x, y }: Point,
  key: string,
): SVGElement {
  const { width, height } = narrow.matches ? UPRIGHT_ACCEPTOR : ACCEPTOR;
  const [, value = 'nothing', version = ''] = /^(.*), (.*?)$/s.exec(held ?? '') ?? [];
  const first = isUp ? (isCut ? '✕ cut off' : '') : remark;
  const told = [
    { text: `${key}: ${value}`, kind: held === undefined ? 'state' : 'held' },
    { text: held === undefined ? (floor === undefined ? '' : `floor: ${floor}`) : `${version} by ${ballot}`, kind: 'state' },
    { text: promise ? `promised ${promise}` : 'promised nothing', kind: 'state' },
  ];
  const rows = isUntold ? [{ text: `${key}: not told yet`, kind: 'state' }] : told;
  return svg(
    'g',
    { class: `node acceptor ${state(isUp, isCut)} ${colour(proposer)}`, transform: `translate(${x} ${y})` },
    svg('rect', { x: -width / 2, y: -height / 2, width, height, rx: 9 }),
    svg('text', { y: 18 - height / 2, class: 'name' }, `${title ?? `acceptor ${name.slice(1)}`} ${first}`.trim()),
    ...rows.flatMap(({ text, kind }, index) =>
      broken(text).map((part, row, parts) =>
        svg(
          'text',
          {
            y: 38 - height / 2 + index * 20 + (parts.length > 1 ? row * 13 : 0),
            class: kind,
            ...fitted(part, kind === 'held' ? BOLD_LETTER : LETTER, width),
          },
          part,
        ),
      ),
    ),
  );
}

/**
 * Letters of a long text stand closer.
 * @param letter about its width
 * @param width of the box
 */
function fitted(text: string, letter: number, width: number): Attributes {
  const room = width - MARGIN / 2;
  return text.length * letter > room ? { textLength: room, lengthAdjust: 'spacingAndGlyphs' } : {};
}

/** On a narrow screen a version and its ballot stand below each other. */
function broken(text: string): string[] {
  return narrow.matches && text.includes(' by ') ? [text.replace(/ by .*/, '')] : [text];
}

function state(isUp: boolean, isCut: boolean): string {
  return isUp ? (isCut ? 'hangs' : 'healthy') : 'gone';
}

export function colour(proposer: number): string {
  return ['', 'one', 'two'][proposer] ?? 'more';
}

/** Whose round a message belongs to. */
export function colourOf({ from, to }: Pick<DrawnParcel, 'from' | 'to'>): string {
  const proposer = [from, to].find((name) => /^p\d$/.test(name));
  return proposer === undefined ? 'more' : colour(Number(proposer.slice(1)));
}

/**
 * Where a message stands on its line. On a narrow screen the lines of one proposer lie close to each other: there its messages have a height of their own.
 * @param index among those of the same line and direction, the first to be sent last
 */
function standing({ isReply, from: sender, to: receiver }: DrawnParcel, from: Point, to: Point, index: number): Point {
  if (!narrow.matches) {
    // The first to be sent is the farthest on its way. Lines cross in the middle, where nothing stands.
    const share = (isReply ? 0.36 : 0.34) + index * 0.12;
    return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share + (isReply ? APART : -APART) };
  }
  const [proposer, acceptor] = isReply ? [receiver, sender] : [sender, receiver];
  // By how far its line leads across: messages of one proposer stand on steps.
  const across = proposer === 'p2' ? 3 - Number(acceptor.slice(1)) : Number(acceptor.slice(1)) - 1;
  const y = isReply ? 322 - across * 25 - index * 9 : 130 + across * 28 + (proposer === 'p2' ? 26 : 0) + index * 9;
  return { x: from.x + ((to.x - from.x) * (y - from.y)) / (to.y - from.y || 1), y };
}

function pills<Parcel extends DrawnParcel>(
  parcels: readonly Parcel[],
  places: Map<string, Point>,
  onChoice: (parcel: Parcel) => void,
): SVGElement[] {
  const links = new Map<string, Parcel[]>();
  for (const parcel of parcels) {
    const link = `${parcel.from} ${parcel.to}`;
    links.set(link, [...(links.get(link) ?? []), parcel]);
  }
  return [...links.values()].flatMap((onLink) => {
    const drawn = onLink.slice(0, DRAWN_MAX);
    const rest = onLink.length - drawn.length;
    return drawn.map((parcel, index) => {
      const { x, y } = standing(parcel, at(places, parcel.from), at(places, parcel.to), drawn.length - 1 - index);
      const more = rest > 0 && index === drawn.length - 1 ? ` +${rest}` : '';
      const text = `${parcel.isReply && !narrow.matches ? '← ' : ''}${parcel.label}${more}`;
      const width = text.length * LETTER + (narrow.matches ? MARGIN / 2 : MARGIN);
      const pill = svg(
        'g',
        {
          class: `pill ${colourOf(parcel)}${parcel.isReply ? ' back' : ''}${parcel.isPassable ? '' : ' stuck'}`,
          transform: `translate(${x} ${y})`,
          'data-parcel': parcel.number,
        },
        svg('title', {}, `${parcel.from} to ${parcel.to}: ${parcel.text}`),
        svg('rect', { x: -width / 2, y: -PILL_HEIGHT / 2, width, height: PILL_HEIGHT, rx: PILL_HEIGHT / 2 }),
        svg('text', { y: 4 }, text),
      );
      pill.addEventListener('click', () => onChoice(parcel));
      return pill;
    });
  });
}

function label({ proposers, acceptors, parcels, key }: Drawn<DrawnParcel>): string {
  const nodes = [
    ...proposers.map(({ name, isUp, isCut, era }) => `proposer ${name.slice(1)} ${isUp ? (isCut ? 'cut off' : `in era ${era}`) : 'down'}`),
    ...acceptors.map(
      ({ name, isUp, isCut, isUntold, promise, held }) =>
        `acceptor ${name.slice(1)}${isUp ? (isCut ? ', cut off,' : '') : ', down,'} ${isUntold ? `has told nothing of ${key} yet` : `holds ${held ?? 'nothing'} of ${key} and promised ${promise ?? 'nothing'}`}`,
    ),
  ];
  return `${nodes.join('; ')}; ${parcels.length} messages under way`;
}
