import { describe, expect, it } from 'vitest';
import { isSilent, Throughput, timelineHeader, timelineLine } from '../../../verification/chaos/timeline.js';
import type { Request } from '../../../verification/checkers/history.js';

const GET: Request = { kind: 'get' };
const CAS: Request = { kind: 'cas', ver: 1, val: 'b', onto: 'a' };
const plain = (text: string): string => text;

describe('the throughput', () => {
  it('counts answered reads, acknowledged writes and unknown writes by the second in which they ended', () => {
    const throughput = new Throughput();
    throughput.add(999, GET, { kind: 'state', ver: 1, val: 'a' });
    throughput.add(1_000, CAS, { kind: 'written', ver: 1 });
    throughput.add(1_500, CAS, { kind: 'unknown' });
    throughput.add(1_999, CAS, { kind: 'state', ver: 2, val: 'b' });
    throughput.add(1_999, CAS, { kind: 'refused' });
    throughput.add(1_999, GET, { kind: 'unknown' });
    expect(throughput.of(0)).toEqual({ reads: 1, writes: 0, unknown: 0 });
    expect(throughput.of(1)).toEqual({ reads: 0, writes: 1, unknown: 1 });
    expect(throughput.of(2)).toEqual({ reads: 0, writes: 0, unknown: 0 });
    expect(throughput.total).toEqual({ reads: 1, writes: 1, unknown: 1 });
  });
});

describe('a line of the timeline', () => {
  const faults = [
    { kind: 'kill', target: 'acceptor-2', fromMs: 16_900, untilMs: 17_400 },
    { kind: 'pause', target: 'proposer-1', fromMs: 17_999 },
    { kind: 'cut', target: 'proposer-2~acceptor-3', fromMs: 17_000, untilMs: 18_000 },
    { kind: 'mute', target: 'acceptor-1', fromMs: 18_000 },
    { kind: 'cut', target: 'acceptor-3', fromMs: 16_000, untilMs: 17_000 },
    { kind: 'stall', target: 'disk', fromMs: 16_000, untilMs: 17_001 },
  ] as const;
  const second = { number: 17, counts: { reads: 210, writes: 95, unknown: 2 }, demanded: true, step: 'grow 2/5', faults };

  it('shows who suffered what in that second, and what began and ended in it', () => {
    expect(timelineHeader()).toBe('second a1    a2    a3    p1    p2    links           reads writes need unknown  step and faults');
    expect(timelineLine(second, plain)).toBe(
      '    17 .     kill  .     pause .     p2~a3             210     95    *       2  ' +
        'grow 2/5; the disk stalls; - kill acceptor-2; + pause proposer-1; + cut proposer-2~acceptor-3; - cut acceptor-3',
    );
  });

  it('is silent where a write had to be seen, and raises the alarm', () => {
    const none = { ...second, counts: { reads: 210, writes: 0, unknown: 2 } };
    expect(timelineLine(none, (text) => `!${text}!`)).toMatch(/^!.*NO WRITE!$/);
    expect(timelineLine({ ...none, demanded: false }, (text) => `!${text}!`)).not.toMatch(/!|NO WRITE/);
    expect([none, { ...none, demanded: false }, second].map(isSilent)).toEqual([true, false, false]);
  });
});
