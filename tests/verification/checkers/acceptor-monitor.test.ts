import { describe, expect, it } from 'vitest';
import type { RegisterState } from '../../../src/protocol/acceptor.js';
import { AcceptorMonitor } from '../../../verification/checkers/acceptor-monitor.js';
import { MemoryAcceptor } from '../../../src/protocol/memory-acceptor.js';
import type { Ballot } from '../../../src/protocol/ballot.js';

type Parts = readonly [era: number, counter: number, proposer: number, incarnation: number];

const ballot = ([era, counter, proposer, incarnation]: Parts): Ballot => ({ era, counter, proposer, incarnation });
const ZERO: Parts = [0, 0, 0, 0];
const ONE: Parts = [1, 1, 1, 1];
const TWO: Parts = [1, 2, 1, 1];
const register = (promise: Parts, accepted: Parts = ZERO, value: string | null = null): RegisterState => ({
  promise: ballot(promise),
  ballot: ballot(accepted),
  value,
});
const EMPTY = register(ZERO);

/** What a monitor says of one acceptor that goes through these states. */
function watched(...states: RegisterState[]): string[] {
  const monitor = new AcceptorMonitor();
  walk(monitor, 'a1', 'k', ...states);
  return monitor.violations.map(({ rule, message }) => `${rule}: ${message}`);
}

function walk(monitor: AcceptorMonitor, acceptor: string, key: string, ...states: RegisterState[]): void {
  states.reduce((before, after) => {
    monitor.observe(acceptor, key, before, after);
    return after;
  });
}

describe('an acceptor', () => {
  it('that promises, accepts, promises more and accepts again is right', () => {
    expect(watched(EMPTY, register(ONE), register(TWO, ONE, 'a'), register(TWO, TWO, 'b'), register(TWO, TWO, 'b'))).toEqual([]);
  });

  it('may accept the empty register, and take a value for it under a later ballot', () => {
    expect(watched(EMPTY, register(ONE, ONE, null), register(TWO, TWO, 'a'))).toEqual([]);
  });

  it('never promises less', () => {
    expect(watched(EMPTY, register(TWO), register(ONE))).toEqual(['a promise never goes down: a1 promised 1.2.1.1 and then 1.1.1.1']);
  });

  it('never goes back to a lower ballot', () => {
    expect(watched(EMPTY, register(TWO, TWO, 'b'), register(TWO, ONE, 'a'))).toEqual([
      'an accepted ballot never goes down: a1 had accepted 1.2.1.1 and then 1.1.1.1',
    ]);
  });

  it('never accepts above its promise', () => {
    expect(watched(EMPTY, register(ONE, TWO, 'b'))).toEqual([
      'a promise covers what was accepted: a1 has accepted 1.2.1.1, but promised no more than 1.1.1.1',
    ]);
  });

  it('never changes the value of a ballot', () => {
    expect(watched(EMPTY, register(ONE, ONE, 'a'), register(ONE, ONE, 'b'))).toEqual([
      'one value for each ballot: a1 has b under ballot 1.1.1.1, where a1 has a',
    ]);
    expect(watched(EMPTY, register(ONE, ONE, 'a'), register(ONE, ONE, null))).toHaveLength(1);
  });

  it('has no value before it accepted one', () => {
    expect(watched(EMPTY, register(ONE, ZERO, 'a'))).toEqual([
      'one value for each ballot: a1 has a under ballot 0.0.0.0, where an empty register has null',
    ]);
  });

  it.each([
    ['era', [2, 1, 1, 1], [1, 9, 9, 9]],
    ['counter', [1, 10, 1, 1], [1, 9, 9, 9]],
    ['proposer', [1, 1, 10, 1], [1, 1, 9, 9]],
    ['incarnation', [1, 1, 1, 10], [1, 1, 1, 9]],
  ] as const)('goes by the %s, as a number', (_, high, low) => {
    expect(watched(EMPTY, register(low), register(high))).toEqual([]);
    expect(watched(EMPTY, register(high), register(low))).toHaveLength(1);
  });

  it('that forgot something between two steps is found out, once', () => {
    const monitor = new AcceptorMonitor();
    monitor.observe('a1', 'k', EMPTY, register(TWO, TWO, 'b'));
    monitor.observe('a1', 'k', EMPTY, register(ONE));
    monitor.observe('a1', 'k', register(ONE), register(TWO));
    expect(monitor.violations.map(({ rule }) => rule)).toEqual(['a promise never goes down', 'an accepted ballot never goes down']);
  });

  it('that holds something before its first step is judged by it', () => {
    const monitor = new AcceptorMonitor();
    monitor.observe('a1', 'k', register(ONE, ONE, 'a'), register(TWO, ONE, 'a'));
    monitor.observe('a2', 'k', EMPTY, register(ONE, ONE, 'b'));
    expect(monitor.violations).toHaveLength(1);
  });

  it('that was wiped begins anew', () => {
    const monitor = new AcceptorMonitor();
    monitor.observe('a1', 'k', EMPTY, register(TWO, TWO, 'b'));
    monitor.observe('a2', 'k', EMPTY, register(TWO, TWO, 'b'));
    monitor.forgot('a1');
    monitor.observe('a1', 'k', EMPTY, register(ONE, ONE, 'a'));
    expect(monitor.violations).toEqual([]);
    monitor.observe('a2', 'k', EMPTY, register(ONE));
    expect(monitor.violations).toHaveLength(2);
  });
});

describe('a ballot', () => {
  it('stands for one value on all acceptors', () => {
    const monitor = new AcceptorMonitor();
    monitor.observe('a1', 'k', EMPTY, register(ONE, ONE, 'a'));
    monitor.observe('a2', 'k', EMPTY, register(ONE, ONE, 'a'));
    expect(monitor.violations).toEqual([]);
    monitor.observe('a3', 'k', EMPTY, register(ONE, ONE, 'b'));
    expect(monitor.violations).toEqual([
      { rule: 'one value for each ballot', key: 'k', message: 'a3 has b under ballot 1.1.1.1, where a1 has a' },
    ]);
  });

  it('stands for it also when no acceptor has it any more', () => {
    const monitor = new AcceptorMonitor();
    walk(monitor, 'a1', 'k', EMPTY, register(ONE, ONE, 'a'), register(TWO, TWO, 'b'));
    monitor.forgot('a1');
    monitor.observe('a1', 'k', EMPTY, register(ONE, ONE, 'c'));
    expect(monitor.violations).toHaveLength(1);
  });

  it('is another one for each key, and for each of its four numbers', () => {
    const monitor = new AcceptorMonitor();
    monitor.observe('a1', 'k', EMPTY, register(ONE, ONE, 'a'));
    monitor.observe('a1', 'other', EMPTY, register(ONE, ONE, 'b'));
    for (const [index, other] of (
      [
        [2, 1, 1, 1],
        [1, 2, 1, 1],
        [1, 1, 2, 1],
        [1, 1, 1, 2],
      ] as const
    ).entries()) {
      monitor.observe(`b${index}`, 'k', EMPTY, register(other, other, `value ${index}`));
    }
    expect(monitor.violations).toEqual([]);
  });
});

it('keeps the acceptors and the keys apart', () => {
  const monitor = new AcceptorMonitor();
  monitor.observe('a1', 'k', EMPTY, register(TWO));
  monitor.observe('a2', 'k', EMPTY, register(ONE));
  monitor.observe('a1', 'other', EMPTY, register(ONE));
  expect(monitor.violations).toEqual([]);
});

it('finds nothing wrong with the acceptor of this project', async () => {
  const monitor = new AcceptorMonitor();
  const acceptor = new MemoryAcceptor();
  const observed = async (step: () => Promise<unknown>): Promise<void> => {
    const before = acceptor.registers.get('k') ?? EMPTY;
    await step();
    monitor.observe('a1', 'k', before, acceptor.registers.get('k') ?? EMPTY);
  };
  await observed(() => acceptor.prepare('k', ballot(ONE)));
  await observed(() => acceptor.accept('k', ballot(ONE), 'a', ballot(TWO)));
  await observed(() => acceptor.prepare('k', ballot(ONE)));
  await observed(() => acceptor.accept('k', ballot(TWO), 'b', ballot([1, 3, 1, 1])));
  await observed(() => acceptor.accept('k', ballot(ONE), 'c', ballot(TWO)));
  expect(monitor.violations).toEqual([]);
});
