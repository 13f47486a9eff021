import { describe, expect, it } from 'vitest';
import { within } from '../../client/within.js';
import { VirtualTime } from '../../verification/simulation/virtual-time.js';

describe('waiting within a limit', () => {
  it('gives up at the limit, and leaves no timer behind', async () => {
    const time = new VirtualTime();
    expect(await time.run(within(time, 50, new Promise(() => undefined)))).toBeUndefined();
    expect(time.nowMs()).toBe(50);
    expect(await within(time, 50, Promise.resolve('done'))).toBe('done');
    await expect(within(time, 50, Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(time.pending).toBe(0);
  });
});
