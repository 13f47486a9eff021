import { describe, expect, it } from 'vitest';
import { LEVELS } from '../../playground/levels/levels.js';
import { SWITCHES } from '../../playground/levels/switches.js';
import { addressOf } from '../../playground/stage/run.js';
import { VARIANTS } from '../../verification/variants/variants.js';
import { stageWithout } from './modules.js';

const LOSABLE = LEVELS.filter(({ isLosable }) => isLosable);

describe('the levels', () => {
  it('are a dozen at least, and the last one has all rules on', () => {
    expect(LOSABLE.length).toBeGreaterThanOrEqual(12);
    expect(LEVELS.slice(LOSABLE.length)).toMatchObject([{ off: [], isLosable: false }]);
    expect(new Set(LEVELS.map(({ id }) => id)).size).toBe(LEVELS.length);
  });

  it.each(LOSABLE)('$id: the recorded choices break what clients were told, and nothing before them does', async (level) => {
    const { cluster, off, opening, solution } = level;
    const { run, forget } = stageWithout(off);
    try {
      const stage = await run.replay({ cluster, choices: opening });
      const address = `#level=${level.id}&${addressOf({ cluster, seed: 1, off, choices: [...opening, ...solution] }, opening.length)}`;
      for (const choice of solution) {
        expect(stage.view().verdict.isSound, address).toBe(true);
        await stage.apply(choice);
      }
      expect(stage.view().verdict, address).toMatchObject({ isSound: false, rule: 'linearizability' });
      expect(stage.view().verdict.culprit).toBeTypeOf('number');
    } finally {
      forget();
    }
  });

  it.each(LOSABLE)('$id: with the rule on nothing is lost by them', async ({ cluster, opening, solution }) => {
    const { run, forget } = stageWithout([]);
    try {
      const stage = await run.replay({ cluster, choices: [] });
      for (const choice of [...opening, ...solution]) {
        // With the rule on another message may have been sent, or none.
        await stage.apply(choice).catch((error: unknown) => expect(error).toBeInstanceOf(RangeError));
      }
      expect(stage.view().verdict).toMatchObject({ isSound: true });
      expect(stage.view().verdict.misdeed).toBeUndefined();
    } finally {
      forget();
    }
  });
});

describe('a rule', () => {
  it('has a level where its variant says that there is one', () => {
    const levels = VARIANTS.flatMap(({ playground }) => (playground && playground.isLevel !== false ? [playground.id] : []));
    expect(levels.toSorted()).toEqual(LOSABLE.map(({ id }) => id).toSorted());
  });

  it.each(SWITCHES)('$id can be switched off in what was compiled', ({ id, patches }) => {
    expect(patches).not.toEqual([]);
    const { run, forget } = stageWithout([id]);
    forget();
    expect(run.replay).toBeTypeOf('function');
  });
});
