import { patch } from './patch.js';
import type { Variant } from './variant.js';

const COPYING = 'node-control/rescan/copying.ts';
const ACCEPTOR = 'src/redis/memory-copying.ts';

/** Rules of copying in place of rounds (paper, section 2.3.3), each broken by a few lines. */
export const BROKEN_COPIES: readonly Variant[] = [
  {
    name: 'what is copied is what any acceptor holds, not the highest ballot',
    scenario: 'stepwise resize',
    seeds: 400,
    seed: 71,
    patches: [patch(COPYING, 'if (!isAbove(holding, top)) continue;', "if (holder !== '' || !isAbove(holding, top)) continue;")],
  },
  {
    name: 'a copy is read from too few acceptors',
    scenario: 'resize',
    seeds: 400,
    seed: 128,
    patches: [patch(COPYING, 'if (this.#isBlind) return [...keys];', '')],
  },
  {
    name: 'a copy that reached one acceptor is enough',
    scenario: 'stepwise resize',
    seeds: 400,
    seed: 13,
    patches: [patch(COPYING, '(part.copies[place] ?? 0) < quorum', '(part.copies[place] ?? 0) < 1')],
  },
  {
    name: 'a copy goes over a promise',
    scenario: 'stepwise resize',
    seeds: 400,
    seed: 3,
    patches: [patch(ACCEPTOR, ' || compareBallots(promise, ballot) > 0', '')],
  },
  {
    name: 'a copy replaces a higher ballot',
    scenario: 'resize',
    seeds: 400,
    seed: 2,
    patches: [
      patch(ACCEPTOR, ' || compareBallots(ballot, accepted) <= 0', ''),
      patch(ACCEPTOR, ' || compareBallots(promise, ballot) > 0', ''),
    ],
  },
  {
    name: 'a copy gets a ballot of its own',
    scenario: 'resize',
    seeds: 400,
    seed: 119,
    patches: [
      patch(
        COPYING,
        'registers.push(found);',
        'registers.push({ ...found, ballot: found.ballot.replace(/\\.(\\d+)/, (_, counter) => `.${Number(counter) + 1}`) });',
      ),
    ],
  },
  {
    name: 'a copy is read from an acceptor that is no member any more',
    scenario: 'stepwise collections',
    seeds: 400,
    seed: 211,
    patches: [patch('node-control/rescan/participants.ts', '!members.has(identity)', "identity === ''")],
  },
];
