import { type Answer, NetworkError } from '../../src/http/client.js';
import { sleep, type Time } from '../../src/protocol/time.js';
import type { Rescanned } from '../../src/store/rescan.js';
import { type KeyBatch, BatchQueue } from './batch-queue.js';
import type { Member } from '../nodes/nodes.js';
import { ControlError } from '../safety/objection.js';

/** Batches under way at each proposer: it works on one while the answer to the other, and the next, are on their way. */
const BATCHES_UNDER_WAY = 2;
/** How often a batch of which no key could be done is handed on to another proposer before its keys count as failed; when they are retried, never. */
const RETURNS_MAX = 1;
/** If a request takes longer, the proposer is asked whether it is still there. */
const ALIVE_EVERY_MS = 5_000;

export interface WorkersOptions {
  readonly proposers: readonly Member[];
  /** Of the configuration that keys are brought to. */
  readonly era: number;
  readonly batchKeys: number;
  /** After a batch with nothing done, a proposer pauses for the first; after each further one in a row for the next; after the last it is given up. */
  readonly pausesMs: readonly number[];
  /** With more keys than that something is wrong that retries do not mend. */
  readonly failuresMax: number;
  readonly time: Time;
  /** Called with the number of keys that have been done or have failed since the last time. */
  readonly onKeys: (count: number) => void;
}

interface Worker {
  readonly member: Member;
  /** Batches in a row with nothing done. */
  troubles: number;
}

/** One pass through a number of keys. */
interface Pass {
  readonly queue: BatchQueue;
  readonly workers: readonly Worker[];
  readonly returnsMax: number;
  readonly onKeys: (count: number) => void;
}

/** All proposers had their chances. */
class NothingWorks extends ControlError {}

/** Keys through proposers, each key through one of them. */
export class RescanWorkers {
  readonly #options: WorkersOptions;
  /** With the last reason. */
  readonly failed = new Map<string, string>();

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /**
   * Shares out what comes in batches; what failed is in {@link failed} then.
   *
   * @param fill hands on keys, and waits for each call of the function that it is given
   * @throws ControlError if a configuration changed, or nothing works
   */
  through(fill: (take: (keys: readonly string[]) => Promise<void>) => Promise<void>): Promise<void> {
    return this.#shareOut(fill, RETURNS_MAX, this.#options.onKeys);
  }

  /** Passes for the keys that failed: what was in the way of a key has often passed a moment later. Some may fail again. */
  async again(pausesMs: readonly number[]): Promise<void> {
    for (const pauseMs of pausesMs) {
      if (this.failed.size === 0) return;
      await sleep(this.#options.time, pauseMs);
      const keys = [...this.failed.keys()];
      try {
        await this.#shareOut(
          (take) => take(keys),
          0,
          () => undefined,
        );
      } catch (error) {
        if (!(error instanceof NothingWorks)) throw error;
      }
    }
  }

  async #shareOut(
    fill: (take: (keys: readonly string[]) => Promise<void>) => Promise<void>,
    returnsMax: number,
    onKeys: (count: number) => void,
  ): Promise<void> {
    const { proposers, batchKeys } = this.#options;
    const queue = new BatchQueue(proposers.length * BATCHES_UNDER_WAY);
    const workers = proposers.map((member): Worker => ({ member, troubles: 0 }));
    const pass: Pass = { queue, workers, returnsMax, onKeys };
    const filling = async (): Promise<void> => {
      const rest: string[] = [];
      await fill(async (keys) => {
        rest.push(...keys);
        // Others may hand on keys while this waits: what is put is taken out before.
        while (rest.length >= batchKeys) await queue.put(rest.splice(0, batchKeys));
      });
      if (rest.length > 0) await queue.put(rest);
      queue.close();
    };
    const working = workers.flatMap((worker) => Array.from({ length: BATCHES_UNDER_WAY }, () => this.#work(worker, pass)));
    const fail = (error: unknown): void => queue.fail(error instanceof Error ? error : new Error(String(error)));
    await Promise.all([filling(), ...working].map((task) => task.catch(fail)));
    if (queue.error) throw queue.error;
  }

  async #work(worker: Worker, { queue, workers, returnsMax, onKeys }: Pass): Promise<void> {
    const { pausesMs, time } = this.#options;
    for (;;) {
      const troublesBefore = worker.troubles;
      if (troublesBefore > pausesMs.length) break;
      if (troublesBefore > 0) await queue.pause(time, pausesMs[troublesBefore - 1] ?? 0);
      const batch = await queue.take();
      if (!batch) return;
      const { isUnreachable, done } = await this.#carryOut(worker.member, batch);
      // Two batches that fail at the same time are one trouble.
      worker.troubles = done > 0 ? 0 : Math.max(worker.troubles, troublesBefore + 1);
      if (isUnreachable || (done === 0 && batch.returns < returnsMax)) {
        queue.giveBack(batch);
        continue;
      }
      onKeys(batch.keys.length);
      queue.finish();
    }
    if (workers.every(({ troubles }) => troubles > pausesMs.length)) {
      const [[key, reason] = []] = this.failed;
      const cause = key === undefined ? 'none of them answers' : `the first: ${JSON.stringify(key)}: ${String(reason)}`;
      throw new NothingWorks(`no proposer gets any key done, so the rescan was given up; ${cause}. Look at the status, and run it again`);
    }
  }

  async #carryOut(member: Member, { keys }: KeyBatch): Promise<{ isUnreachable: boolean; done: number }> {
    const reasons = await this.#ask(member, keys);
    if (!reasons) return { isUnreachable: true, done: 0 };
    for (const key of keys) {
      const reason = reasons.get(key);
      if (reason === undefined) this.failed.delete(key);
      else this.failed.set(key, reason);
    }
    this.#assertWorthwhile();
    return { isUnreachable: false, done: keys.length - reasons.size };
  }

  /** Why keys failed; undefined if the proposer does not say. */
  async #ask(member: Member, keys: readonly string[]): Promise<Map<string, string> | undefined> {
    const { era, time } = this.#options;
    try {
      const answer = await whileAlive(time, member, member.admin.rescan(era, keys));
      if (answer.ok) return reasonsIn(answer.body, member, keys);
      if (answer.code === 'EraMismatch') throw new ControlError(`${member.name} refused: ${answer.message}`);
      return new Map(keys.map((key) => [key, `${member.name} refused: ${answer.message}`]));
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      return undefined;
    }
  }

  #assertWorthwhile(): void {
    const { failed } = this;
    if (failed.size <= this.#options.failuresMax) return;
    const [[key, reason] = []] = failed;
    throw new ControlError(
      `more than ${this.#options.failuresMax} keys failed, so the rescan was given up; the first: ${JSON.stringify(key)}: ${String(reason)}. ` +
        'Mend that and run it again',
    );
  }
}

/** Why keys failed. A proposer that does not tell of every key that it was asked for, and of no other one, did none of them for certain. */
function reasonsIn({ done, failed }: Rescanned, { name }: Member, keys: readonly string[]): Map<string, string> {
  const asked = new Set(keys);
  if (done + failed.length === keys.length && failed.every(({ key }) => asked.has(key))) {
    return new Map(failed.map(({ key, message }) => [key, message]));
  }
  return new Map(
    keys.map((key) => [key, `${name} did ${done} keys and failed at ${failed.length}, of ${keys.length} that it was asked for`]),
  );
}

/** A proposer may take minutes for its keys, and one that hangs takes as long: so it is asked something else meanwhile. */
async function whileAlive<Body>(time: Time, { admin }: Member, answer: Promise<Answer<Body>>): Promise<Answer<Body>> {
  let cancel = (): void => undefined;
  let isOver = false;
  const silence = new Promise<never>((_resolve, reject) => {
    const watch = (): void => {
      // It rejects as the answer itself would.
      cancel = time.after(ALIVE_EVERY_MS, () => void admin.configuration().then(() => isOver || watch(), reject));
    };
    watch();
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    isOver = true;
    cancel();
  }
}
