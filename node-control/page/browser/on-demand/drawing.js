import { narrow, svg } from '../element.js';

/**
 * What is drawn: of the playground's stage, or of a key that is watched. Proposers are named p1, p2, acceptors a1, a2, a3; `title` is what else one
 * is called, `remark` why it is not up.
 *
 * @typedef {{ readonly nodes: readonly string[] }} Asked
 * @typedef {{ readonly name: string, readonly title?: string, readonly isUp: boolean, readonly isCut: boolean, readonly remark?: string }} Standing
 * @typedef {Standing & { readonly era: number, readonly prepare: Asked, readonly accept: Asked }} DrawnProposer
 * @typedef {object} Holding what an acceptor holds of the key, `isUntold` where nothing is known of that
 * @property {boolean} [isUntold]
 * @property {string | undefined} promise
 * @property {string | undefined} ballot
 * @property {number} proposer the number of the proposer of that ballot; 0: none
 * @property {string | undefined} held a value, a comma and its version
 * @property {string | undefined} floor
 * @typedef {Standing & Holding} DrawnAcceptor
 * @typedef {object} DrawnParcel a message under way
 * @property {number} number
 * @property {string} from
 * @property {string} to
 * @property {string} label in a word
 * @property {string} text
 * @property {boolean} isReply
 * @property {boolean} isPassable
 */
/**
 * @typedef {object} Drawn
 * @property {readonly DrawnProposer[]} proposers
 * @property {readonly DrawnAcceptor[]} acceptors
 * @property {readonly DrawnParcel[]} parcels
 * @property {string} key
 */
/** @typedef {{ x: number, y: number }} Point */

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

/**
 * The nodes, what each acceptor holds of the key, and every message under way.
 *
 * @template {DrawnParcel} Parcel
 * @param {Drawn & { readonly parcels: readonly Parcel[] }} view
 * @param {(parcel: Parcel) => void} onChoice called with a message that is clicked
 * @returns {SVGElement}
 */
export function drawing(view, onChoice) {
  const { proposers, acceptors, parcels, key } = view;
  const more = room(acceptors.length);
  const { width, height } = narrow.matches ? { ...UPRIGHT, width: UPRIGHT.width + more } : { ...LYING, height: LYING.height + more };
  /** @type {Map<string, Point>} */
  const places = new Map();
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

/** What is needed beside the room for three. @param {number} count of acceptors */
function room(count) {
  return Math.max(0, count - 3) * (narrow.matches ? 123 : 104);
}

/** @param {number} side @param {number} index @param {number} count @param {number} more see `room` @returns {Point} */
function place(side, index, count, more) {
  const share = count === 1 ? 0.5 : index / (count - 1);
  // Two proposers stand closer to the middle.
  const inwards = side === 0 && count <= 2 ? 18 : 0;
  if (narrow.matches) return { x: 62 + inwards + (246 - 2 * inwards + more) * share, y: side === 0 ? 40 : 405 };
  return side === 0 ? { x: 70, y: 95 + more / 2 + 170 * share } : { x: 552, y: 58 + (262 + more) * share };
}

/** @param {Map<string, Point>} places @param {string} name @returns {Point} */
function at(places, name) {
  return places.get(name) ?? { x: 0, y: 0 };
}

/** @param {Point} from @param {Point} to @param {string} kind */
function line(from, to, kind) {
  return svg('line', { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: kind });
}

/** @param {DrawnProposer} proposer @param {Point} center */
function proposerBox({ name, title, isUp, isCut, remark = '✕ down', era }, { x, y }) {
  const { width, height } = PROPOSER;
  return svg(
    'g',
    { class: `node ${state(isUp, isCut)} ${colour(Number(name.slice(1)))}`, transform: `translate(${x} ${y})` },
    svg('rect', { x: -width / 2, y: -height / 2, width, height, rx: 9 }),
    svg('text', { y: -4, class: 'name' }, title ?? `proposer ${name.slice(1)}`),
    svg('text', { y: 16, class: 'state' }, isUp ? (isCut ? '✕ cut off' : `era ${era}`) : remark),
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

/** @param {DrawnAcceptor} acceptor @param {Point} center @param {string} key */
function acceptorBox({ name, title, isUp, isCut, remark = '✕ down', isUntold, promise, ballot, proposer, held, floor }, { x, y }, key) {
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

/** Letters of a long text stand closer. @param {string} text @param {number} letter about its width @param {number} width of the box */
function fitted(text, letter, width) {
  const room = width - MARGIN / 2;
  return text.length * letter > room ? { textLength: room, lengthAdjust: 'spacingAndGlyphs' } : {};
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

/** Whose round a message belongs to. @param {Pick<DrawnParcel, 'from' | 'to'>} parcel */
export function colourOf({ from, to }) {
  const proposer = [from, to].find((name) => /^p\d$/.test(name));
  return proposer === undefined ? 'more' : colour(Number(proposer.slice(1)));
}

/**
 * Where a message stands on its line. On a narrow screen the lines of one proposer lie close to each other: there its messages have a height of their own.
 *
 * @param {DrawnParcel} parcel @param {Point} from @param {Point} to @param {number} index among those of the same line and direction, the first to be sent last
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

/** @template {DrawnParcel} Parcel @param {readonly Parcel[]} parcels @param {Map<string, Point>} places @param {(parcel: Parcel) => void} onChoice */
function pills(parcels, places, onChoice) {
  /** @type {Map<string, Parcel[]>} */
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
      pill.addEventListener('click', () => onChoice(parcel));
      return pill;
    });
  });
}

/** @param {Drawn} view */
function label({ proposers, acceptors, parcels, key }) {
  const nodes = [
    ...proposers.map(({ name, isUp, isCut, era }) => `proposer ${name.slice(1)} ${isUp ? (isCut ? 'cut off' : `in era ${era}`) : 'down'}`),
    ...acceptors.map(
      ({ name, isUp, isCut, isUntold, promise, held }) =>
        `acceptor ${name.slice(1)}${isUp ? (isCut ? ', cut off,' : '') : ', down,'} ${isUntold ? `has told nothing of ${key} yet` : `holds ${held ?? 'nothing'} of ${key} and promised ${promise ?? 'nothing'}`}`,
    ),
  ];
  return `${nodes.join('; ')}; ${parcels.length} messages under way`;
}
