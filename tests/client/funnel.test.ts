import { describe, expect, it } from 'vitest';
import { Funnel, header, line, noCounts } from '../../client/funnel.js';
import { VirtualTime } from '../../verification/simulation/virtual-time.js';

describe('the funnel', () => {
  const started = (columns = [noCounts(), noCounts(), noCounts()]) => {
    const time = new VirtualTime();
    const output: string[] = [];
    const funnel = new Funnel(time, columns, (second, counts) => output.push(line(second, counts)));
    const seconds: number[] = [];
    funnel.start((second) => seconds.push(second));
    return { time, output, funnel, seconds, columns };
  };

  it('has the header and the first line of the spec, to the character', () => {
    expect(header(2, 9, 3)).toBe('# proposers: 2\n# keys: 9\n# clients: 3\n');
    expect(started().output).toEqual(['0\t[0-0-0 0]\t[0-0-0 0]\t[0-0-0 0]\n']);
  });

  it('prints what happened in each second, and counts the next one anew', async () => {
    const { time, output, columns } = started([noCounts()]);
    Object.assign(columns[0] ?? {}, { readAttempts: 36, reads: 23, writes: 18, networkErrors: 2 });
    await time.advance(2_000);
    expect(output.slice(1)).toEqual(['1\t[36-23-18 2]\n', '2\t[0-0-0 0]\n']);
  });

  it('does not drift where each line is late', () => {
    let nowMs = 0;
    const due: number[] = [];
    let fire = (): void => undefined;
    const time = {
      nowMs: () => nowMs,
      after: (delayMs: number, then: () => void) => {
        due.push(nowMs + delayMs);
        fire = then;
        return () => undefined;
      },
    };
    new Funnel(time, [], () => undefined).start(() => undefined);
    for (let line = 0; line < 100; line += 1) {
      nowMs = (due.at(-1) ?? 0) + 7;
      fire();
    }
    expect(due.at(-1)).toBe(101_000);
  });

  it('goes on with the present second after the process stood still', () => {
    let nowMs = 0;
    let fire = (): void => undefined;
    const time = { nowMs: () => nowMs, after: (_: number, then: () => void) => ((fire = then), () => undefined) };
    const output: string[] = [];
    new Funnel(time, [], (second, counts) => output.push(line(second, counts))).start(() => undefined);
    for (nowMs of [1_000, 61_500, 62_000]) fire();
    expect(output).toEqual(['0\n', '1\n', '61\n', '62\n']);
  });

  it('prints nothing after it was stopped', async () => {
    const { time, output, funnel, seconds } = started();
    await time.advance(1_000);
    funnel.stop();
    await time.advance(5_000);
    expect(output).toHaveLength(2);
    expect(seconds).toEqual([1]);
    expect(time.pending).toBe(0);
  });
});
