import { describe, expect, it, vi } from 'vitest';
import { Pace } from '../../../node-control/rescan/pace.js';
import { Progress } from '../../../node-control/terminal/progress.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

function output(isTTY: boolean, columns = 80): { out: ConstructorParameters<typeof Progress>[0]; written: string[] } {
  const written: string[] = [];
  return { out: { isTTY, columns, write: (text: string) => written.push(text) > 0 }, written };
}

describe('the progress of a long command', () => {
  it('is a bar on a terminal, in one line that is overwritten and taken away', () => {
    vi.useFakeTimers();
    vi.stubEnv('NO_COLOR', '');
    vi.stubEnv('TERM', 'xterm');
    const { out, written } = output(true);
    const progress = new Progress(out);
    vi.advanceTimersByTime(100);
    progress.show('half of it', 0.5);
    progress.show('too soon for another', 0.6);
    progress.end();
    expect(written).toEqual(['\r\u001B[K[############............]  50% half of it', '\r\u001B[K']);
    vi.useRealTimers();
    vi.unstubAllEnvs();
  });

  it('is cut where the terminal is too narrow to overwrite it', () => {
    vi.useFakeTimers();
    vi.stubEnv('NO_COLOR', '');
    vi.stubEnv('TERM', 'xterm');
    const { out, written } = output(true, 20);
    const progress = new Progress(out);
    vi.advanceTimersByTime(100);
    progress.show('half of it', 0.5);
    expect(written).toEqual(['\r\u001B[K[############......']);
    vi.useRealTimers();
    vi.unstubAllEnvs();
  });

  it.each([
    ['it is piped', false, 'xterm', ''],
    ['the terminal cannot overwrite a line', true, 'dumb', ''],
    ['NO_COLOR asks for plain text', true, 'xterm', '1'],
  ])('is a line every two seconds, without a bar, where %s', (_why, isTTY, term, noColor) => {
    vi.useFakeTimers();
    vi.stubEnv('TERM', term);
    vi.stubEnv('NO_COLOR', noColor);
    const { out, written } = output(isTTY);
    const progress = new Progress(out);
    for (let seconds = 0; seconds < 5; seconds += 1) {
      vi.advanceTimersByTime(1_000);
      progress.show(`${seconds}`, 0.5);
    }
    progress.end();
    expect(written).toEqual(['1\n', '3\n']);
    vi.useRealTimers();
    vi.unstubAllEnvs();
  });
});

describe('the pace of a rescan', () => {
  it('tells how much is done, how fast it goes and how long it takes yet', async () => {
    const time = new VirtualTime();
    const pace = new Pace(time, 1_000_000);
    expect(String(pace)).toBe('0 of about 1,000,000 keys');
    await time.advance(10_000);
    pace.add(100_000);
    expect([String(pace), pace.fraction]).toEqual(['100,000 of about 1,000,000 keys, 10,000/s, 1 min 30 s left', 0.1]);
  });

  it('goes by the last seconds', async () => {
    const time = new VirtualTime();
    const pace = new Pace(time, 100_000);
    for (let second = 0; second < 20; second += 1) {
      await time.advance(1_000);
      pace.add(second < 10 ? 10 : 1_000);
    }
    expect(String(pace)).toMatch(/, 1,000\/s, 1 min 30 s left$/);
  });

  it('takes the keys for more where more came than there seemed to be', async () => {
    const time = new VirtualTime();
    const pace = new Pace(time, 10);
    await time.advance(1_000);
    pace.add(20);
    expect([String(pace), pace.fraction]).toEqual(['20 of about 20 keys, 20/s, 0 s left', 1]);
  });
});
