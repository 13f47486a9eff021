import { broken, patch, type Variant } from './variant.js';

const COPYING = 'node-control/rescan/copying.ts';
const ACCEPTOR = 'src/redis/memory-copying.ts';

/** Rules of copying in place of rounds (paper, section 2.3.3), each broken by a few lines. */
export const BROKEN_COPIES: readonly Variant[] = [
  broken('what is copied is what any acceptor holds, not the highest ballot', ['stepwise resize', 400, 19], {}, [
    patch(COPYING, 'if (!isAbove(holding, top)) continue;', "if (holder !== '' || !isAbove(holding, top)) continue;"),
  ]),
  broken('a copy is read from too few acceptors', ['resize', 400, 76], {}, [patch(COPYING, 'if (this.#isBlind) return [...keys];', '')]),
  broken('a copy that reached one acceptor is enough', ['stepwise resize', 400, 13], {}, [
    patch(COPYING, '(part.copies[place] ?? 0) >= quorum', '(part.copies[place] ?? 0) >= 1'),
  ]),
  broken('a copy goes over a promise', ['stepwise resize', 400, 3], {}, [patch(ACCEPTOR, ' || compareBallots(promise, ballot) > 0', '')]),
  broken('a copy replaces a higher ballot', ['resize', 400, 2], {}, [
    patch(ACCEPTOR, ' || compareBallots(ballot, accepted) <= 0', ''),
    patch(ACCEPTOR, ' || compareBallots(promise, ballot) > 0', ''),
  ]),
  broken('a copy gets a ballot of its own', ['resize', 400, 126], {}, [
    patch(
      COPYING,
      'registers.push(found);',
      'registers.push({ ...found, ballot: found.ballot.replace(/\\.(\\d+)/, (_, counter) => `.${Number(counter) + 1}`) });',
    ),
  ]),
  broken('a copy is read from an acceptor that is no member any more', ['stepwise collections', 400, 211], {}, [
    patch('node-control/rescan/participants.ts', '!members.has(identity)', "identity === ''"),
  ]),
];
