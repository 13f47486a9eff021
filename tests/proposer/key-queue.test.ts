import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { KeyQueue } from '../../proposer/key-queue.js';
import { PrepareError } from '../../src/errors.js';

const PATIENCE_MS = 10_000;

describe('the queue of a key', () => {
  it('gives one turn at a time, in the order of arrival', async () => {
    const queue = new KeyQueue();
    const events: string[] = [];
    const task = (name: string) => async (): Promise<void> => {
      events.push(`${name} begins`);
      await sleep(1);
      events.push(`${name} ends`);
    };
    await Promise.all(['a', 'b', 'c'].map((name) => queue.run('key', PATIENCE_MS, task(name))));
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('does not hold up another key', async () => {
    const queue = new KeyQueue();
    void queue.run('key', PATIENCE_MS, () => new Promise(() => undefined));
    expect(await queue.run('other', PATIENCE_MS, async () => 'done')).toBe('done');
  });

  it('goes on after a task that failed', async () => {
    const queue = new KeyQueue();
    const failed = queue.run('key', PATIENCE_MS, () => Promise.reject(new Error('mine')));
    const next = queue.run('key', PATIENCE_MS, async () => 'done');
    await expect(failed).rejects.toThrow('mine');
    expect(await next).toBe('done');
  });

  it('lets nobody wait longer than it said: the task then never runs, and the next one has its turn', async () => {
    const queue = new KeyQueue();
    let finish = (): void => undefined;
    const first = queue.run('key', PATIENCE_MS, () => new Promise<void>((resolve) => (finish = resolve)));
    let ran = false;
    const impatient = queue.run('key', 20, async () => {
      ran = true;
    });
    const patient = queue.run('key', PATIENCE_MS, async () => 'done');
    await expect(impatient).rejects.toThrow(PrepareError);
    finish();
    await first;
    expect(await patient).toBe('done');
    expect(ran).toBe(false);
  });
});
