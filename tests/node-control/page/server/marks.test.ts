import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Marks } from '../../../../node-control/page/server/marks.js';
import type { AcceptorView, NodeState, ProposerView } from '../../../../node-control/page/server/snapshot.js';
import type { Configuration } from '../../../../src/protocol/configuration.js';
import type { DatedConfiguration } from '../../../../src/http/client.js';
import type { QuorumSet } from '../../../../src/protocol/quorum.js';

interface Seen {
  readonly atMs: number;
  readonly proposers: readonly ProposerView[];
  readonly acceptors: readonly AcceptorView[];
}

const set = (quorum: number, ...numbers: readonly number[]): QuorumSet => ({
  quorum,
  nodes: numbers.map((number) => `acceptor-${number}:6379`),
});
const ONE = set(1, 1);
const TWO = set(2, 1, 2);

interface Look {
  /** The sets of each proposer. */
  readonly sets?: readonly ({ readonly prepare: QuorumSet; readonly accept: QuorumSet } | undefined)[];
  readonly proposers?: readonly NodeState[];
  readonly acceptors?: readonly NodeState[];
  readonly keys?: readonly (number | undefined)[];
  readonly isRescanning?: boolean;
}

const SETTLED = { prepare: ONE, accept: ONE };

/** A cluster that is looked at. What a look does not say is as it was at the beginning: all is well, nothing changes. */
class Watch {
  nowMs = 1_000_000;
  readonly marks = new Marks();
  #last: Seen | undefined;
  #era = 1;
  /** Of each proposer. */
  readonly #histories: DatedConfiguration[][] = [[], []];

  constructor() {
    this.look();
  }

  /** @returns the marks that are new, as `kind: text`, and all */
  look(look: Look = {}, laterMs = 1_000): { fresh: string[]; all: string[] } {
    const { sets = [SETTLED, SETTLED], proposers = [], acceptors = [], keys = [], isRescanning = false } = look;
    this.nowMs += laterMs;
    // The first proposer is changed first, the other one under the same era.
    for (const [index, history] of this.#histories.entries()) {
      const wanted = sets[index];
      const { prepare, accept } = history.at(-1)?.configuration ?? {};
      if (!wanted || isDeepStrictEqual([wanted.prepare, wanted.accept], [prepare, accept])) continue;
      if (index === 0) this.#era += 2;
      history.push({ atMs: this.nowMs - 500, configuration: { era: this.#era, ...wanted } });
    }
    const histories = this.#histories.filter((_, index) => sets[index]);
    const now: Seen = {
      atMs: this.nowMs,
      proposers: [0, 1].map((index) => ({
        name: `proposer-${index + 1}`,
        state: proposers[index] ?? 'healthy',
        sets: sets[index] && { era: 1, ...sets[index] },
      })),
      acceptors: [0, 1, 2].map((index) => ({
        name: `acceptor-${index + 1}:6379`,
        state: acceptors[index] ?? 'healthy',
        keys: index in keys ? keys[index] : 9,
      })),
    };
    const marks = this.marks.after(this.#last, now, histories, isRescanning);
    this.#last = now;
    const text = ({ kind, text: what }: (typeof marks)[number]): string => `${kind}: ${what}`;
    return { fresh: marks.filter(({ atMs }) => atMs > this.nowMs - laterMs).map(text), all: marks.map(text) };
  }
}

describe('a step', () => {
  const changed = { prepare: ONE, accept: TWO };

  it('is told once where two proposers take it together', () => {
    const watch = new Watch();
    expect(watch.look({ sets: [changed, changed] }).fresh).toEqual(['step: accept: 2 of acceptors 1 and 2']);
    expect(watch.look({ sets: [changed, changed] }).all).toHaveLength(1);
  });

  it('is told once where a look falls between the two', () => {
    const watch = new Watch();
    expect(watch.look({ sets: [changed, SETTLED] }).fresh).toEqual(['step: accept: 2 of acceptors 1 and 2']);
    expect(watch.look({ sets: [changed, changed] }).fresh).toEqual([]);
  });

  it('is told again where it is done again later', () => {
    const watch = new Watch();
    watch.look({ sets: [changed, changed] });
    watch.look();
    watch.look();
    expect(watch.look({ sets: [changed, changed] }).fresh).toEqual(['step: accept: 2 of acceptors 1 and 2']);
  });

  it('that was seen together with the next one is told before it', () => {
    const both = { prepare: TWO, accept: TWO };
    expect(new Watch().look({ sets: [both, both] }).fresh).toEqual([
      'step: accept: 2 of acceptors 1 and 2',
      'step: prepare: 2 of acceptors 1 and 2',
    ]);
  });

  it('may leave nobody, or another quorum of the same', () => {
    const watch = new Watch();
    expect(watch.look({ sets: [{ prepare: set(0), accept: ONE }, SETTLED] }).fresh).toEqual(['step: prepare: nobody']);
    const three = (quorum: number) => ({ prepare: ONE, accept: set(quorum, 1, 2, 3) });
    watch.look({ sets: [three(2), three(2)] });
    expect(watch.look({ sets: [three(3), three(3)] }).fresh).toEqual(['step: accept: 3 of acceptors 1, 2 and 3']);
  });

  it('has acceptors of the demo by their number, and others by their name', () => {
    const other: QuorumSet = { quorum: 1, nodes: ['acceptor-12:6379', 'acceptor-1:7000', 'my-acceptor-1:6379'] };
    expect(new Watch().look({ sets: [{ prepare: ONE, accept: other }, SETTLED] }).fresh).toEqual([
      'step: accept: 1 of acceptor-12:6379, acceptor-1:7000 and my-acceptor-1:6379',
    ]);
  });

  it.each([
    [{ prepare: ONE, accept: TWO }, 'writes go to acceptor-2, too'],
    [{ prepare: TWO, accept: ONE }, 'rounds begin by asking acceptor-2, too'],
    [{ prepare: ONE, accept: set(1, 2, 3) }, 'writes go to acceptor-2 and acceptor-3, too; writes no longer go to acceptor-1'],
    [{ prepare: set(0), accept: ONE }, 'rounds no longer begin by asking acceptor-1'],
    [{ prepare: ONE, accept: { ...ONE, quorum: 2 } }, undefined],
  ])('says what it is for: %j', (sets, meaning) => {
    const watch = new Watch();
    watch.look({ sets: [sets, sets] });
    expect(
      watch.marks.after(undefined, { atMs: watch.nowMs, proposers: [], acceptors: [] }, [], false).map((mark) => mark.meaning),
    ).toEqual([meaning]);
  });

  it('says who was the first to be asked', () => {
    const watch = new Watch();
    const nobody = { prepare: set(0), accept: set(0) };
    watch.look({ sets: [nobody, nobody] });
    watch.look({ sets: [{ ...nobody, accept: ONE }] }, 5_000);
    const marks = watch.marks.after(undefined, { atMs: watch.nowMs, proposers: [], acceptors: [] }, [], false);
    expect(marks.at(-1)?.meaning).toBe('writes go to acceptor-1');
  });

  it('is told with the others where several were done between two looks, each at its time; so is a rescan of keys that were few', () => {
    const marks = new Marks();
    const dated = (atMs: number, era: number, accept: QuorumSet, resting: readonly QuorumSet[]): DatedConfiguration => ({
      atMs,
      configuration: { era, prepare: ONE, accept, resting } satisfies Configuration,
    });
    const history = [
      dated(1_000, 4, ONE, [ONE]),
      dated(1_010, 5, ONE, [ONE, TWO]),
      dated(1_020, 6, TWO, [ONE, TWO]),
      dated(1_030, 7, TWO, [ONE, TWO]),
      dated(1_040, 8, TWO, [TWO]),
      dated(1_060, 10, set(2, 1, 2, 3), [TWO, set(2, 1, 2, 3)]),
    ];
    const seen: Seen = { atMs: 1_900, proposers: [], acceptors: [] };
    const texts = marks.after(seen, seen, [history, history], true).map(({ id, atMs, text }) => `${id} ${atMs} ${text}`);
    expect(texts).toEqual(['1 1020 accept: 2 of acceptors 1 and 2', '2 1040 rescan', '3 1060 accept: 2 of acceptors 1, 2 and 3']);
    expect(marks.after(seen, { ...seen, atMs: 2_900 }, [history, history], false)).toHaveLength(3);
  });

  it('is told also where it was done before the control node was started', () => {
    const history = [1, 2, 3].map((era): DatedConfiguration => ({
      atMs: era * 1_000,
      configuration: { era, prepare: ONE, accept: set(1, era) },
    }));
    const marks = new Marks().after(undefined, { atMs: 3_000, proposers: [], acceptors: [] }, [history], false);
    expect(marks.map(({ text }) => text)).toEqual(['accept: acceptor 2 alone', 'accept: acceptor 3 alone']);
  });

  it('is none where the proposers differ, and go on to', () => {
    const watch = new Watch();
    watch.look({ sets: [changed, SETTLED] }, 100_000);
    expect(watch.look({ sets: [changed, SETTLED] }, 10_000).fresh).toEqual([]);
  });

  it('is none where a proposer tells its sets for the first time, or not any more', () => {
    const watch = new Watch();
    expect(watch.look({ sets: [SETTLED, undefined] }).all).toEqual([]);
    expect(watch.look().all).toEqual([]);
  });
});

describe('a node', () => {
  it.each(['acceptor', 'proposer'])('is told to be lost and to be back, once each: %s', (kind) => {
    const watch = new Watch();
    const gone: Look = { [`${kind}s`]: ['healthy', 'gone'] };
    expect(watch.look(gone).fresh).toEqual([`loss: ${kind}-2 lost`]);
    expect(watch.look(gone).fresh).toEqual([]);
    expect(watch.look().fresh).toEqual([`return: ${kind}-2 is back`]);
    expect(watch.look().fresh).toEqual([]);
  });

  it('is told to be lost again at once', () => {
    const watch = new Watch();
    watch.look({ acceptors: ['gone'] });
    watch.look();
    expect(watch.look({ acceptors: ['gone'] }).fresh).toEqual(['loss: acceptor-1 lost']);
  });

  it('that is slow is not lost', () => {
    const watch = new Watch();
    expect(watch.look({ acceptors: ['slow'], proposers: ['slow'] }).all).toEqual([]);
  });

  it('has a wrong identity: at once, or when it is back from a loss', () => {
    const watch = new Watch();
    expect(watch.look({ acceptors: ['stranger', 'gone'] }).fresh).toEqual([
      'loss: acceptor-1 has a wrong identity',
      'loss: acceptor-2 lost',
    ]);
    expect(watch.look({ acceptors: ['gone', 'stranger'] }).fresh).toEqual([
      'loss: acceptor-1 lost',
      'loss: acceptor-2 has a wrong identity',
    ]);
    expect(watch.look().fresh).toEqual(['return: acceptor-1 is back', 'return: acceptor-2 is back']);
  });

  it('was wiped where it has no keys any more', () => {
    const watch = new Watch();
    expect(watch.look({ keys: [9, 9, 0] }).fresh).toEqual(['wipe: acceptor-3 wiped']);
    expect(watch.look({ keys: [9, 9, 0] }).fresh).toEqual([]);
    expect(watch.look().fresh).toEqual([]);
  });

  it('was not wiped where it does not tell its keys, or has fewer', () => {
    const watch = new Watch();
    expect(watch.look({ keys: [undefined, 1] }).all).toEqual([]);
    expect(watch.look({ keys: [0, 1] }).all).toEqual([]);
  });
});

describe('a rescan', () => {
  it('is told once, also after a lull', () => {
    const watch = new Watch();
    expect(watch.look({ isRescanning: true }).fresh).toEqual(['rescan: rescan']);
    for (let second = 0; second < 5; second += 1) expect(watch.look({ isRescanning: true }).fresh).toEqual([]);
    expect(watch.look().fresh).toEqual([]);
    expect(watch.look({ isRescanning: true }).fresh).toEqual([]);
  });

  it('is told again where there is another one', () => {
    const watch = new Watch();
    watch.look({ isRescanning: true });
    watch.look();
    watch.look();
    expect(watch.look({ isRescanning: true }).fresh).toEqual(['rescan: rescan']);
  });
});

describe('a collection', () => {
  const seen = (keys: number, floor?: AcceptorView['floor']): Seen => ({
    ...{ atMs: 2_000, proposers: [] },
    acceptors: [{ name: 'acceptor-1:6379', state: 'healthy', keys, floor }],
  });

  it('is told once, at its own time, with what it removed', () => {
    const marks = new Marks();
    const collections = [{ atMs: 1_500, removed: 1_200, era: 7 }];
    const told = [
      {
        id: 1,
        atMs: 1_500,
        kind: 'collection',
        text: '1,200 deleted keys collected',
        meaning: expect.stringContaining('era 7') as unknown,
      },
    ];
    expect(marks.after(undefined, seen(1), [], false, collections)).toEqual(told);
    expect(marks.after(seen(1), seen(1), [], false, collections)).toEqual(told);
    expect(marks.after(seen(1), seen(1), [], false, [...collections, { atMs: 1_900, removed: 1, era: 9 }]).at(-1)).toMatchObject({
      text: '1 deleted key collected',
    });
  });

  it('of all keys is not taken for a wipe, which takes the floor away', () => {
    const floor = { era: 7, version: 2 };
    expect(new Marks().after(seen(9), seen(0, floor), [], false)).toEqual([]);
    expect(new Marks().after(seen(9, floor), seen(0), [], false)).toMatchObject([{ kind: 'wipe' }]);
  });
});

describe('the marks', () => {
  it('tell nothing of a first look, but that keys are being rescanned', () => {
    const marks = new Marks();
    const seen: Seen = { atMs: 1, proposers: [{ name: 'p', state: 'gone' }], acceptors: [{ name: 'a', state: 'stranger', keys: 0 }] };
    expect(marks.after(undefined, seen, [], true)).toEqual([
      { id: 1, atMs: 1, kind: 'rescan', text: 'rescan', meaning: 'every key is brought to where writes go now' },
    ]);
  });

  it('are kept however old they are', () => {
    const watch = new Watch();
    watch.look({ acceptors: ['hangs'] });
    watch.look({}, 100_000);
    expect(watch.look({}, 10_000_000).all).toEqual(['loss: acceptor-1 hangs', 'return: acceptor-1 is back']);
  });

  it('say for how long nobody looked, if that was more than a page that was loaded again', () => {
    const marks = new Marks();
    const seen: Seen = { atMs: 900_000, proposers: [], acceptors: [] };
    marks.noteUnseen(10_000, 14_000);
    expect(marks.after(undefined, seen, [], false)).toEqual([]);
    marks.noteUnseen(10_000, 30_000);
    marks.noteUnseen(30_000, 900_000);
    const texts = marks.after(undefined, seen, [], false).map(({ id, kind, text }) => `${id} ${kind}: ${text}`);
    expect(texts).toEqual(['1 unseen: no page was open for 20 s', '2 unseen: no page was open for 15 min']);
  });

  it('are 120 at most, the latest ones', () => {
    const watch = new Watch();
    for (let round = 0; round < 100; round += 1) {
      watch.look({ acceptors: ['gone'] }, 100);
      watch.look({}, 100);
    }
    const { all } = watch.look({ keys: [0] }, 100);
    expect(all).toHaveLength(120);
    expect(all.at(-1)).toBe('wipe: acceptor-1 wiped');
    expect(watch.marks.after(undefined, { atMs: watch.nowMs, proposers: [], acceptors: [] }, [], false).at(-1)?.id).toBe(201);
  });
});
