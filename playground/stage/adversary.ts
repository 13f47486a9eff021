import { randomFrom } from '../../client/random.js';
import type { ParcelSight, StageView } from '../../verification/pictures/view.js';

/** What the adversary does instead of delivering something, and how often. */
const WEIGHTS = { lose: 0.12, repeat: 0.05, ask: 0.22, wait: 0.06, node: 0.06 };

/** Values that clients write, each once in a run. */
const WORDS = ['red', 'green', 'blue', 'amber', 'white', 'violet', 'black', 'teal', 'pink', 'grey'];

/** A word that nobody wrote yet: by it a reader tells who wrote it. */
export function freshWord({ bars }: Pick<StageView, 'bars'>): string {
  const writes = bars.filter(({ text }) => text.startsWith('cas')).length;
  const round = Math.floor(writes / WORDS.length);
  return `${WORDS[writes % WORDS.length] ?? ''}${round === 0 ? '' : round + 1}`;
}

/** What is added: no sum of some of these is another one. */
export function freshNumber({ bars }: Pick<StageView, 'bars'>): number {
  return 2 ** Math.min(bars.filter(({ text }) => text.startsWith('add')).length, 29);
}

/** What goes on by itself where nobody interferes: the oldest message arrives; where there is none, time passes. Undefined where nothing waits. */
export function friendlyMove({ parcels, isBusy }: StageView): string | undefined {
  const next = parcels.find(({ isPassable }) => isPassable);
  if (next) return `d${next.number}`;
  return isBusy ? 'wait' : undefined;
}

/** The move of an adversary that knows nothing and tries everything: the same for the same seed and moves. Acceptors keep their disks. */
export function adversaryMove(view: StageView, seed: number): string {
  const random = randomFrom((seed * 1_000_003 + view.moves.length * 7_919) >>> 0);
  // The first numbers of streams whose seeds are close are, too.
  random();
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)];
  const passable = view.parcels.filter(({ isPassable }) => isPassable);
  let dice = random();
  const is = (weight: number): boolean => (dice -= weight) < 0;
  if (is(WEIGHTS.lose)) return parcelMove('x', pick(view.parcels)) ?? askSomething(view, random);
  if (is(WEIGHTS.repeat))
    return parcelMove('r', pick(passable.filter(({ isReply, isAgain }) => !isReply && !isAgain))) ?? askSomething(view, random);
  if (is(WEIGHTS.node)) return breakSomething(view, random) ?? askSomething(view, random);
  if (is(WEIGHTS.wait) && view.isBusy) return 'wait';
  if (is(WEIGHTS.ask) && view.bars.filter(({ to }) => to === undefined).length < 3) return askSomething(view, random);
  return parcelMove('d', pick(passable)) ?? askSomething(view, random);
}

function parcelMove(verb: string, parcel: ParcelSight | undefined): string | undefined {
  return parcel && `${verb}${parcel.number}`;
}

function askSomething(view: StageView, random: () => number): string {
  const up = view.proposers.filter(({ isUp }) => isUp);
  const proposer = up[Math.floor(random() * up.length)];
  if (!proposer) return `start ${view.proposers[0]?.name ?? ''}`;
  const dice = random();
  if (dice < 0.4) return `${proposer.name} get ${view.key}`;
  if (dice < 0.93 || view.nextVer === 0) return `${proposer.name} cas ${view.key} ${view.nextVer} "${freshWord(view)}"`;
  return `${proposer.name} delete ${view.key}`;
}

function breakSomething({ proposers, acceptors }: StageView, random: () => number): string | undefined {
  const nodes = [...proposers, ...acceptors];
  const broken = nodes.filter(({ isUp, isCut }) => !isUp || isCut);
  const isMended = broken.length > 0 && random() < 0.6;
  const from = isMended ? broken : nodes.filter(({ isUp, isCut }) => isUp && !isCut);
  const node = from[Math.floor(random() * from.length)];
  if (!node) return undefined;
  if (isMended) return `${node.isUp ? 'mend' : 'start'} ${node.name}`;
  return `${['kill', 'cut', 'restart'][Math.floor(random() * 3)] ?? 'cut'} ${node.name}`;
}
