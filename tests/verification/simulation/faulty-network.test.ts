import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../../client/random.js';
import { FaultyNetwork, type NetworkSettings } from '../../../verification/simulation/faulty-network.js';
import { Process } from '../../../verification/simulation/process.js';
import { Trace } from '../../../verification/simulation/trace.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

const PERFECT: NetworkSettings = { delayMs: 1, late: 0, lateMs: 0, loss: 0, resets: 0, duplication: 0 };

/** Sends 1,000 requests from a to b under these settings, and counts what came of them. */
async function thousand(
  { kind = 'prepare', ...settings }: Partial<NetworkSettings> & { kind?: string },
  prepare: (network: FaultyNetwork) => void = () => undefined,
) {
  const time = new VirtualTime();
  const network = new FaultyNetwork(time, randomFrom(1), { ...PERFECT, ...settings }, new Trace(() => 0, false));
  prepare(network);
  const caller = new Process(time);
  const counts = { arrived: 0, answered: 0, failed: 0, overtaken: 0 };
  let newest = -1;
  for (let number = 0; number < 1_000; number += 1) {
    const act = async (): Promise<number> => {
      counts.arrived += 1;
      if (number < newest) counts.overtaken += 1;
      newest = Math.max(newest, number);
      return number;
    };
    const call = network.call({ caller, from: 'a', to: 'b', act, kind, request: String, reply: String, mayRepeat: true });
    call.then(
      () => (counts.answered += 1),
      () => (counts.failed += 1),
    );
  }
  return { time, network, caller, counts };
}

async function after(ms: number, ...options: Parameters<typeof thousand>) {
  const { time, counts } = await thousand(...options);
  await time.advance(ms);
  return counts;
}

describe('the simulated network', () => {
  it('brings every message within its time, in another order than they were sent', async () => {
    const counts = await after(2, {});
    expect(counts).toMatchObject({ arrived: 1_000, answered: 1_000, failed: 0 });
    expect(counts.overtaken).toBeGreaterThan(900);
  });

  it('loses requests and replies in silence, each by its share', async () => {
    const counts = await after(2, { loss: 0.2 });
    expect(counts.arrived).toBeGreaterThan(750);
    expect(counts.arrived).toBeLessThan(850);
    expect(counts.answered).toBeGreaterThan(590);
    expect(counts.answered).toBeLessThan(690);
    expect(counts.failed).toBe(0);
  });

  it('lets the sender know of some that it lost', async () => {
    const { arrived, answered, failed } = await after(2, { loss: 0.2, resets: 1 });
    expect(answered + failed).toBe(1_000);
    expect(failed).toBeGreaterThan(1_000 - arrived);
  });

  it('repeats requests', async () => {
    expect((await after(2, { duplication: 0.5 })).arrived).toBeGreaterThan(1_400);
  });

  it('brings late ones long after the others', async () => {
    const early = await after(2, { late: 0.1, lateMs: 10_000 });
    expect(early.arrived).toBeLessThan(950);
    expect((await after(20_000, { late: 0.1, lateMs: 10_000 })).answered).toBe(1_000);
  });

  it('cuts one direction alone: the request arrives, the reply does not', async () => {
    expect(await after(2, {}, (network) => network.cut('b', 'a'))).toMatchObject({ arrived: 1_000, answered: 0 });
    expect(await after(2, {}, (network) => network.cut('a', 'b'))).toMatchObject({ arrived: 0, answered: 0 });
  });

  it('cuts one kind of request alone', async () => {
    expect((await after(2, {}, (network) => network.cut('a', 'b', 'accept'))).arrived).toBe(1_000);
    expect((await after(2, { kind: 'accept' }, (network) => network.cut('a', 'b', 'accept'))).arrived).toBe(0);
  });

  it('brings everything once a link is mended or all is healed', async () => {
    const mended = await after(2, {}, (network) => {
      network.cut('a', 'b');
      network.mend('a', 'b');
    });
    expect(mended.answered).toBe(1_000);
    const healed = await after(2, { loss: 1, late: 1, lateMs: 1_000 }, (network) => {
      network.cut('a', 'b');
      network.slowDown('a', 'b', 1_000);
      network.heal();
    });
    expect(healed.answered).toBe(1_000);
  });

  it('takes longer in the direction that is slow', async () => {
    const isSlow = (network: FaultyNetwork): void => network.slowDown('b', 'a', 100);
    const early = await after(2, {}, isSlow);
    expect(early.arrived).toBe(1_000);
    expect(early.answered).toBeLessThan(100);
    expect((await after(200, {}, isSlow)).answered).toBe(1_000);
  });

  it('brings no answer to a process that was killed meanwhile', async () => {
    const { time, caller, counts } = await thousand({});
    caller.kill();
    await time.advance(10);
    expect(counts).toMatchObject({ arrived: 1_000, answered: 0, failed: 0 });
  });
});

describe('a process that was killed', () => {
  it('no longer hears its own timers', async () => {
    const time = new VirtualTime();
    const process = new Process(time);
    const fired: string[] = [];
    process.time.after(1, () => fired.push('before'));
    process.time.after(3, () => fired.push('after'));
    const cancel = process.time.after(1, () => fired.push('called off'));
    cancel();
    await time.advance(2);
    process.kill();
    await time.advance(2);
    expect(fired).toEqual(['before']);
  });
});
