import { describe, expect, it } from 'vitest';
import { Gate } from '../../../src/protocol/gate.js';

const moment = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A task that runs until it is told to end. */
function task(log: string[], name: string): { run: () => Promise<string>; end: () => void; fail: () => void } {
  let end = (): void => undefined;
  let fail = (): void => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = () => reject(new Error(name));
  });
  const run = async (): Promise<string> => {
    log.push(`${name} begins`);
    try {
      await ended;
      return name;
    } finally {
      log.push(`${name} ends`);
    }
  };
  return { run, end, fail };
}

describe('the gate', () => {
  it('lets shared tasks run beside each other', async () => {
    const log: string[] = [];
    const [a, b] = [task(log, 'a'), task(log, 'b')];
    const gate = new Gate();
    const both = Promise.all([gate.shared(a.run), gate.shared(b.run)]);
    await moment();
    expect(log).toEqual(['a begins', 'b begins']);
    a.end();
    b.end();
    expect(await both).toEqual(['a', 'b']);
  });

  it('lets an exclusive task wait for all that run, and all that come later wait for it', async () => {
    const log: string[] = [];
    const [a, b, alone, later] = [task(log, 'a'), task(log, 'b'), task(log, 'alone'), task(log, 'later')];
    const gate = new Gate();
    const all = Promise.all([gate.shared(a.run), gate.shared(b.run), gate.exclusive(alone.run), gate.shared(later.run)]);
    a.end();
    await moment();
    expect(log).toEqual(['a begins', 'b begins', 'a ends']);
    b.end();
    await moment();
    expect(log.slice(3)).toEqual(['b ends', 'alone begins']);
    alone.end();
    later.end();
    expect(await all).toEqual(['a', 'b', 'alone', 'later']);
    expect(log.slice(5)).toEqual(['alone ends', 'later begins', 'later ends']);
  });

  it('runs exclusive tasks one after the other', async () => {
    const log: string[] = [];
    const [one, two] = [task(log, 'one'), task(log, 'two')];
    const gate = new Gate();
    const both = Promise.all([gate.exclusive(one.run), gate.exclusive(two.run)]);
    one.end();
    two.end();
    await both;
    expect(log).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
  });

  it('opens again after a task that failed', async () => {
    const log: string[] = [];
    const [shared, alone, next] = [task(log, 'shared'), task(log, 'alone'), task(log, 'next')];
    const gate = new Gate();
    const results = Promise.allSettled([gate.shared(shared.run), gate.exclusive(alone.run), gate.shared(next.run)]);
    shared.fail();
    alone.fail();
    next.end();
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(await gate.exclusive(async () => 'open')).toBe('open');
  });
});
