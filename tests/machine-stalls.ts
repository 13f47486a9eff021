import { tmpdir } from 'node:os';
import { onTestFinished } from 'vitest';
import { DiskProbe, openUnnamed } from '../verification/chaos/disk-probe.js';
import { systemTime } from '../src/store/system-time.js';

/**
 * Watches the machine during this test. The function tells whether it held up the disk or this process for so long that no acceptor can have
 * answered in its time: a fault that a test did not ask for.
 */
export async function watchMachine(): Promise<() => boolean> {
  const file = await openUnnamed(tmpdir());
  const stop = new AbortController();
  const startedAt = performance.now();
  const sync = async (): Promise<void> => {
    await file.write('x', 0);
    await file.datasync();
  };
  const probe = new DiskProbe(sync, systemTime, () => performance.now() - startedAt);
  const run = probe.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await run;
    await file.close();
  });
  return () => probe.stalls.length > 0;
}
