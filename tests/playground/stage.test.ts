import { describe, expect, it } from 'vitest';
import { adversaryMove, friendlyMove } from '../../playground/stage/adversary.js';
import { addressOf, CHOICES_MAX, replay, runAt, USUAL_CLUSTER } from '../../playground/stage/run.js';
import type { Stage } from '../../playground/stage/stage.js';

const WRITE = ['p1 cas k 0 "red"', 'd1', 'd2', 'd4', 'd5', 'd6', 'd7', 'd9', 'd10'];
const usual = (...choices: string[]): Promise<Stage> => replay({ cluster: USUAL_CLUSTER, choices });

/** A run of the adversary. */
async function adversity(seed: number, moves: number): Promise<string[]> {
  const stage = await usual();
  const choices: string[] = [];
  for (let move = 0; move < moves; move += 1) {
    const choice = adversaryMove(stage.view(), seed);
    await stage.apply(choice);
    choices.push(choice);
  }
  const address = `seed ${seed}: #${addressOf({ cluster: USUAL_CLUSTER, seed, off: [], choices })}`;
  expect([stage.view().verdict.isSound, stage.view().verdict.misdeed], address).toEqual([true, undefined]);
  return choices;
}

describe('the stage', () => {
  it('has nine nodes of a kind at most: an address must not make more than can be drawn', async () => {
    await expect(replay({ cluster: 'acceptors=10', choices: [] })).rejects.toThrow(new TypeError('nine nodes of a kind at most'));
    expect((await replay({ cluster: 'acceptors=9 proposers=9', choices: [] })).view().acceptors.length).toBe(9);
  });

  it('lets nothing arrive by itself', async () => {
    const stage = await usual('p1 cas k 0 "red"');
    const { parcels, acceptors, isBusy } = stage.view();
    expect(parcels.map(({ from, to, text }) => `${from} ${to} ${text}`)).toEqual([
      'p1 a1 prepare k 1.1.1.1',
      'p1 a2 prepare k 1.1.1.1',
      'p1 a3 prepare k 1.1.1.1',
    ]);
    expect([acceptors.map(({ promise }) => promise), isBusy]).toEqual([[undefined, undefined, undefined], true]);
  });

  it('writes with two of three, and a read through the other proposer finds it', async () => {
    const stage = await usual(...WRITE);
    expect(stage.view().bars).toMatchObject([{ client: 'client 1', answer: 'written, version 1', outcome: 'written' }]);
    await stage.apply('p2 get k');
    for (let move = friendlyMove(stage.view()); move; move = friendlyMove(stage.view())) await stage.apply(move);
    expect(stage.view()).toMatchObject({ bars: [{}, { answer: 'version 1, "red"' }], parcels: [], isBusy: false, nextVer: 1 });
    expect(stage.view().verdict).toEqual({ isSound: true, order: [0, 1] });
  });

  it('is the same to the byte for the same choices', async () => {
    const choices = await adversity(7, 300);
    const [one, other] = [await usual(...choices), await usual(...choices)];
    expect(JSON.stringify(one.view())).toBe(JSON.stringify(other.view()));
    expect(await adversity(7, 300)).toEqual(choices);
  });

  it('goes back in time, and on from there in another way', async () => {
    const choices = await adversity(3, 60);
    const back = await replay({ cluster: USUAL_CLUSTER, choices }, 40);
    expect(JSON.stringify(back.view())).toBe(JSON.stringify((await usual(...choices.slice(0, 40))).view()));
    await back.apply('cut a1');
    expect(back.view().moves.at(-1)).toEqual({ choice: 'cut a1', lines: ['a1  is cut off: its messages wait'] });
  });

  it('refuses what cannot be done, and nothing has changed', async () => {
    const stage = await usual(...WRITE, 'cut a3', 'kill p2');
    const before = JSON.stringify(stage.view());
    for (const [choice, reason] of [
      ['d1', 'no message 1'],
      ['x99', 'no message 99'],
      ['d3', 'cannot pass'],
      ['p2 get k', 'p2 is down'],
      ['kill p2', 'is down'],
      ['start p1', 'is up'],
      ['cut a3', 'cut off already'],
      ['mend a1', 'not cut off'],
      ['lose-disk p1', 'is no acceptor'],
      ['kill a7', 'no node a7'],
      ['p1 cas k 0 "<b>"', 'unknown command'],
      ['fly away', 'no move'],
    ] as const) {
      await expect(stage.apply(choice), choice).rejects.toThrow(reason);
    }
    expect(JSON.stringify(stage.view())).toBe(before);
  });

  it('tells the clients of a proposer that dies nothing', async () => {
    const stage = await usual('p1 cas k 0 "red"', 'p1 get k', 'kill p1', 'start p1');
    expect(stage.view().bars.map(({ outcome, answer }) => [outcome, answer])).toEqual([
      ['unknown', 'no answer: p1 died'],
      ['refused', 'no answer: p1 died'],
    ]);
  });

  it('lets a message arrive twice, now and later', async () => {
    const stage = await usual('p1 cas k 0 "red"', 'r1');
    expect(stage.view().parcels.at(-2)).toMatchObject({ from: 'p1', to: 'a1', isAgain: true });
    await expect(stage.apply('r5')).rejects.toThrow('message 5 does not arrive twice');
    await stage.apply('d4');
    expect(stage.view().parcels.filter(({ from }) => from === 'a1')).toHaveLength(2);
  });

  it('an acceptor that lost its disk is not believed', async () => {
    const stage = await usual(...WRITE, 'lose-disk a1', 'p2 get k', 'd11');
    expect(stage.view().parcels.at(-1)?.text).toBe('this is an acceptor that has forgotten who it is, not a1#0');
  });

  it('carries out the commands of the operator, who is refused what is not safe', async () => {
    const stage = await replay({ cluster: 'acceptors=3 era=4 prepare=1:a1 accept=1:a1', choices: [] });
    for (const choice of ['p1 cas k 0 "red"', 'd1', 'd2', 'd3', 'd4']) await stage.apply(choice);
    expect(await stage.apply('control add-accept all a2 2')).toContain('p1: accept 2 of a1 a2, was 1 of a1 (era 6)');
    await stage.apply('control add-prepare all a2 2');
    await stage.apply('control add-accept all a3 2');
    expect((await stage.apply('control add-prepare all a3 2')).join()).toContain(
      'Nothing was changed. First: ./run-control.sh rescan a1,a2 2',
    );
    await expect(stage.apply('control add-learner all a1 1')).rejects.toThrow('unknown command');
  });

  it('with all rules on: the adversary loses nothing in 10,000 moves', async () => {
    for (let seed = 1; seed <= 50; seed += 1) await adversity(seed, 200);
  });
});

describe('an address', () => {
  const run = { cluster: 'acceptors=3 prepare=1 accept=3', seed: 5, off: ['quorum', 'names'], choices: ['p1 cas k 0 "a b"', 'd1', 'wait'] };

  it('holds a whole run, and the moment', () => {
    expect(runAt(addressOf(run))).toEqual({ run, at: 3 });
    expect(runAt(addressOf(run, 1))).toEqual({ run, at: 1 });
    expect(runAt('')).toEqual({ run: { cluster: USUAL_CLUSTER, seed: 1, off: [], choices: [] }, at: 0 });
  });

  it.each([
    ['a seed that is no number', 'seed=x'],
    ['a moment before the first', 'at=-1'],
    ['half a character', 'moves=%'],
    ['a run without end', `moves=${'d1.'.repeat(CHOICES_MAX + 1)}`],
  ])('cannot have %s', (_what, address) => {
    expect(() => runAt(address)).toThrow(TypeError);
  });
});
