import type { StageView } from '../../verification/pictures/view.js';

/** A piece of the program, as it was compiled. */
export interface CodePlace {
  /** From dist/. */
  readonly file: string;
  /** How its first line begins. No other line of the file begins so. */
  readonly begin: string;
  /** What those of its lines have in them that matter. */
  readonly marks: readonly string[];
}

export interface CodeLine {
  readonly text: string;
  readonly isMarked: boolean;
}

/** A longer piece is shown around its marked lines only, so many before and behind each. */
const [LINES_MAX, LINES_AROUND] = [16, 2];

const place = (file: string, begin: string, ...marks: string[]): CodePlace => ({ file, begin, marks });
const ACCEPTOR = 'src/protocol/memory-acceptor.js';
const PROPOSER = 'src/protocol/proposer.js';
const READER = 'src/reads/quorum-read.js';

/** What a request runs at an acceptor, by its kind; and where a proposer goes on once it was told this by enough of them. */
const ARRIVALS: Readonly<Record<string, CodePlace>> = {
  prepare: place(ACCEPTOR, 'async prepare(', 'compareBallots(', 'promise: ballot'),
  accept: place(ACCEPTOR, 'async accept(', 'const fresh', 'const again', 'promise: highest('),
  read: place(ACCEPTOR, 'async read(', 'this.#register('),
  copy: place('src/redis/memory-copying.js', 'export function copyInto(', 'compareBallots(promise, ballot)'),
  promised: place(PROPOSER, 'async #prepare(', '!containsQuorum(', 'latest = reply'),
  accepted: place(PROPOSER, 'async #accept(', '!containsQuorum(', 'return containsQuorum('),
  refused: place(PROPOSER, '#learn(', 'fastForward('),
  holds: place(READER, 'export function provenBy(', 'containsQuorum('),
};
const STRANGER = place(ACCEPTOR, '#register(', 'this.#memory.identity !== this.#identity', 'throw new StrangerError');
const HEARD = place('src/protocol/ask.js', 'const hear =', 'if (isOver)', 'isDecided(');
const COPIED = place('node-control/rescan/copying.js', 'const ballots =', 'isAtLeast(');

/** What a write does first, by what its proposer sends then: nothing while the round of another one goes on. */
const WRITES: Readonly<Record<string, CodePlace>> = {
  read: place(READER, 'read(key)', 'provenBy(', 'learnPromise('),
  round: place(PROPOSER, 'change(key, fn', '#promises.take(', 'this.#prepare(', 'applyChange(', 'this.#accept('),
  nothing: place('src/store/key-queue.js', 'run(key, operation', 'waiting.push(one)', 'this.#waiting.has(key)'),
};

/** What other moves run, by their words and what came of them. */
const MOVES: readonly (readonly [words: RegExp, place: CodePlace | undefined])[] = [
  [/^p\d get /, WRITES['read']],
  [/^wait .*has waited/, place('src/protocol/ask.js', 'const cancelTimeout =', 'timeoutMs')],
  [/^wait .* remove /, place('src/redis/memory-collection.js', 'export function erase(', 'const isSeen', 'floor.era < era')],
  [/^(re)?start p/, place('src/protocol/ballot.js', 'constructor(', 'incarnation')],
  [/^lose-disk /, place('src/redis/memory-greeting.js', 'export function forgetAll(', 'memory.identity')],
  [/^control (add|rm)-/, place('node-control/step/judge.js', 'export function judge(', 'if (isDone)', 'dangersOf(', 'throw new')],
  [/^control rescan/, place('node-control/commands/rescan.js', 'export async function rescan(', 'new KeyListing(', 'listing.list(')],
  [
    /^control resize/,
    place('node-control/commands/resize.js', 'export async function resize(', 'planFrom(', 'carryOut(step, nodes, terminal'),
  ],
  [
    /^control wipe-/,
    place('node-control/commands/wipe-acceptor.js', 'export async function wipeAcceptor(', 'objectionsToWipe(', 'throw new'),
  ],
  [/^control collect/, place('node-control/collection/survey.js', 'export function findingOn(', 'return ')],
];

/** All of them. */
export const PLACES: readonly CodePlace[] = [
  ...Object.values(ARRIVALS),
  ...Object.values(WRITES),
  STRANGER,
  HEARD,
  COPIED,
  ...MOVES.flatMap(([, each]) => each ?? []),
];

/** What the last move ran that it is about; undefined where nothing did. */
export function codeOf({ moves, flights, bars }: Pick<StageView, 'moves' | 'flights' | 'bars'>): CodePlace | undefined {
  const move = moves.length;
  const { choice = '', lines = [] } = moves.at(-1) ?? {};
  const arrived = flights.find(({ endedAt }) => endedAt === move);
  const sent = flights.filter(({ sentAt }) => sentAt === move);
  if (!arrived) {
    const [, known] = MOVES.find(([words]) => words.test([choice, ...lines].join(' '))) ?? [];
    const [first] = sent;
    return known ?? (/^p\d /.test(choice) ? WRITES[first === undefined ? 'nothing' : first.kind === 'read' ? 'read' : 'round'] : undefined);
  }
  if (arrived.isLost) return undefined;
  if (!arrived.isReply) return sent.some(({ label, kind }) => label === 'answer' && kind !== 'copy') ? STRANGER : ARRIVALS[arrived.label];
  if (arrived.kind === 'copy') return COPIED;
  return (sent.length > 0 || bars.some(({ endedAt }) => endedAt === move) ? ARRIVALS[arrived.label] : undefined) ?? HEARD;
}

/**
 * The lines of a piece, to the bracket that closes it.
 * @param text of its file
 * @throws RangeError where it is not there
 */
export function excerptOf(text: string, { file, begin, marks }: CodePlace): CodeLine[] {
  const lines = text.split('\n');
  const [first, ...others] = [...lines.keys()].filter((at) => lines[at]?.trimStart().startsWith(begin));
  if (first === undefined || others.length > 0)
    throw new RangeError(`${file} has ${others.length + Number(first !== undefined)} lines: ${begin}`);
  const indent = (line = ''): number => line.search(/\S|$/);
  const depth = indent(lines[first]);
  const length = lines.slice(first + 1).findIndex((line) => line.trimStart().startsWith('}') && indent(line) <= depth) + 2;
  const piece = lines.slice(first, first + length);
  const marked = new Set([...piece.keys()].filter((at) => at > 0 && marks.some((mark) => piece[at]?.includes(mark))));
  const isNear = (at: number): boolean => at === 0 || [...marked].some((mark) => Math.abs(mark - at) <= LINES_AROUND);
  return piece.flatMap((line, at) => {
    if (length <= LINES_MAX || isNear(at)) return [{ text: line.slice(depth), isMarked: marked.has(at) }];
    return isNear(at - 1) ? [{ text: '    …', isMarked: false }] : [];
  });
}
