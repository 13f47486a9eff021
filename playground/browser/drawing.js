import { narrow, svg } from '../../node-control/page/browser/element.js';

/** @import { AcceptorSight, ParcelSight, ProposerSight, StageView } from '../stage/view.js' */
/** @typedef {{ x: number, y: number }} Point */

const LYING = { width: 640, height: 380 };
const UPRIGHT = { width: 370, height: 470 };
const PROPOSER = { width: 116, height: 56 };
const ACCEPTOR = { width: 150, height: 92 };
const UPRIGHT_ACCEPTOR = { width: 112, height: 104 };
const PILL_HEIGHT = 24;
/** Of a letter in a pill, and what is left and right of all. */
const [LETTER, MARGIN] = [7, 18];
/** Between requests and answers on one line. */
const APART = 15;
/** Of messages on one line, in each direction, so many are drawn one by one. */
const DRAWN_MAX = 3;

/**
 * The nodes, what each acceptor holds of the key, and every message under way. A click on a message delivers it.
 *
 * @param {StageView} view
 * @param {(parcel: ParcelSight) => void} deliver
 * @returns {SVGElement}
 */
export function drawing(view, deliver) {
  const { proposers, acceptors, parcels, key } = view;
  const { width, height } = narrow.matches ? UPRIGHT : LYING;
  /** @type {Map<string, Point>} */
  const places = new Map();
  proposers.forEach(({ name }, index) => places.set(name, place(0, index, proposers.length)));
  acceptors.forEach(({ name }, index) => places.set(name, place(1, index, acceptors.length)));
  places.set('control', narrow.matches ? { x: 185, y: 250 } : { x: 70, y: 345 });
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
    ...pills(parcels, places, deliver),
  );
}

/** @param {number} side @param {number} index @param {number} count @returns {Point} */
function place(side, index, count) {
  const share = count === 1 ? 0.5 : index / (count - 1);
  if (narrow.matches) return side === 0 ? { x: 80 + 210 * share, y: 40 } : { x: 62 + 246 * share, y: 405 };
  return side === 0 ? { x: 70, y: 95 + 170 * share } : { x: 552, y: 58 + 262 * share };
}

/** @param {Map<string, Point>} places @param {string} name @returns {Point} */
function at(places, name) {
  return places.get(name) ?? { x: 0, y: 0 };
}

/** @param {Point} from @param {Point} to @param {string} kind */
function line(from, to, kind) {
  return svg('line', { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: kind });
}

/** @param {ProposerSight} proposer @param {Point} center */
function proposerBox({ name, isUp, isCut, era }, { x, y }) {
  const { width, height } = PROPOSER;
  return svg(
    'g',
    { class: `node ${state(isUp, isCut)} ${colour(Number(name.slice(1)))}`, transform: `translate(${x} ${y})` },
    svg('rect', { x: -width / 2, y: -height / 2, width, height, rx: 9 }),
    svg('text', { y: -4, class: 'name' }, `proposer ${name.slice(1)}`),
    svg('text', { y: 16, class: 'state' }, isUp ? (isCut ? '✕ cut off' : `era ${era}`) : '✕ down'),
  );
}

/** Only while it copies registers: what else it asks is answered at once. @param {Point} center */
function controlBox({ x, y }) {
  return svg(
    'g',
    { class: 'node', transform: `translate(${x} ${y})` },
    svg('rect', { x: -50, y: -18, width: 100, height: 36, rx: 9 }),
    svg('text', { y: 5, class: 'name' }, 'control'),
  );
}

/** @param {AcceptorSight} acceptor @param {Point} center @param {string} key */
function acceptorBox({ name, isUp, isCut, promise, ballot, proposer, held, floor }, { x, y }, key) {
  const { width, height } = narrow.matches ? UPRIGHT_ACCEPTOR : ACCEPTOR;
  const [value = 'nothing', version = ''] = (held ?? 'nothing').split(', ');
  const first = isUp ? (isCut ? '✕ cut off' : '') : '✕ down';
  const rows = [
    { text: `${key}: ${value}`, kind: held === undefined ? 'state' : 'held' },
    { text: held === undefined ? (floor === undefined ? '' : `floor: ${floor}`) : `${version} by ${ballot}`, kind: 'state' },
    { text: promise ? `promised ${promise}` : 'promised nothing', kind: 'state' },
  ];
  return svg(
    'g',
    { class: `node acceptor ${state(isUp, isCut)} ${colour(proposer)}`, transform: `translate(${x} ${y})` },
    svg('rect', { x: -width / 2, y: -height / 2, width, height, rx: 9 }),
    svg('text', { y: 18 - height / 2, class: 'name' }, `acceptor ${name.slice(1)} ${first}`.trim()),
    ...rows.flatMap(({ text, kind }, index) =>
      broken(text).map((part, row, parts) =>
        svg('text', { y: 38 - height / 2 + index * 20 + (parts.length > 1 ? row * 13 : 0), class: kind }, part),
      ),
    ),
  );
}

/** On a narrow screen a version and its ballot stand below each other. @param {string} text */
function broken(text) {
  return narrow.matches && text.includes(' by ') ? [text.replace(/ by .*/, '')] : [text];
}

/** @param {boolean} isUp @param {boolean} isCut */
function state(isUp, isCut) {
  return isUp ? (isCut ? 'hangs' : 'healthy') : 'gone';
}

/** @param {number} proposer */
export function colour(proposer) {
  return ['', 'one', 'two'][proposer] ?? 'more';
}

/** Whose round a message belongs to. @param {ParcelSight} parcel */
export function colourOf({ from, to }) {
  const proposer = [from, to].find((name) => /^p\d$/.test(name));
  return proposer === undefined ? 'more' : colour(Number(proposer.slice(1)));
}

/**
 * Where a message stands on its line. On a narrow screen the lines of one proposer lie close to each other: there its messages have a height of their own.
 *
 * @param {ParcelSight} parcel @param {Point} from @param {Point} to @param {number} index among those of the same line and direction, the first to be sent last
 * @returns {Point}
 */
function standing({ isReply, from: sender, to: receiver }, from, to, index) {
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

/** @param {readonly ParcelSight[]} parcels @param {Map<string, Point>} places @param {(parcel: ParcelSight) => void} deliver */
function pills(parcels, places, deliver) {
  /** @type {Map<string, ParcelSight[]>} */
  const links = new Map();
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
      pill.addEventListener('click', () => deliver(parcel));
      return pill;
    });
  });
}

/** @param {StageView} view */
function label({ proposers, acceptors, parcels, key }) {
  const nodes = [
    ...proposers.map(({ name, isUp, isCut, era }) => `proposer ${name.slice(1)} ${isUp ? (isCut ? 'cut off' : `in era ${era}`) : 'down'}`),
    ...acceptors.map(
      ({ name, isUp, isCut, promise, held }) =>
        `acceptor ${name.slice(1)}${isUp ? (isCut ? ', cut off,' : '') : ', down,'} holds ${held ?? 'nothing'} of ${key} and promised ${promise ?? 'nothing'}`,
    ),
  ];
  return `${nodes.join('; ')}; ${parcels.length} messages under way`;
}
