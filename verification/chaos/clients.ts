import { forkedFrom, type Random } from '../../client/random.js';
import { PROPOSERS } from '../../local/layout.js';
import { sleep, type Time } from '../../src/protocol/time.js';
import type { State } from '../checkers/history.js';
import { ClientLoop, type Repeats } from './client-loop.js';
import { type ChaosKey, KEYS } from './key-kinds.js';
import { NextWrite } from './next-write.js';
import type { Requests, Learned } from './requests.js';

/** Clients that ask this proposer only: one that hangs cannot hold up all of them at once. Two more ask any. */
const FAITHFUL_CLIENTS = 2;
const ROAMING_CLIENTS = 2;
/** Before a key is read again that could not be. */
const PAUSE_MS = 50;

interface ClientsOptions {
  readonly requests: Requests;
  readonly time: Time;
  readonly random: Random;
}

/** Closed loops that do all that a client can do with the keys, and record what they were told. */
export class Clients {
  readonly repeats: Repeats = { unknown: 0, resolved: 0, known: 0, forgotten: 0 };
  readonly #options: ClientsOptions;
  readonly #loops: readonly ClientLoop[];

  constructor(options: ClientsOptions) {
    this.#options = options;
    const { requests, time, random } = options;
    const writes = new NextWrite(forkedFrom(random));
    const faithful = PROPOSERS.flatMap((name) =>
      Array.from({ length: FAITHFUL_CLIENTS }, (_, at) => ({ client: `${name}/${at + 1}`, asks: [name] })),
    );
    const roaming = Array.from({ length: ROAMING_CLIENTS }, (_, at) => ({ client: `any/${at + 1}`, asks: PROPOSERS }));
    this.#loops = [...faithful, ...roaming].map(
      (one) => new ClientLoop({ ...one, requests, writes, random: forkedFrom(random), time, repeats: this.repeats }),
    );
  }

  /** Resolves when every loop has ended its last request. Rejects with `ImpossibleAnswer`. */
  async run(stop: AbortSignal): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.run(stop)));
  }

  /**
   * Asks for every outcome that is still open, and then reads every key through every proposer.
   * @returns what each key held, by the last read; and what nobody told
   */
  async finish(deadlineMs: number): Promise<{ finals: Map<string, State>; untold: string[] }> {
    const open = await Promise.all(this.#loops.map((loop) => loop.finish(deadlineMs)));
    const finals = new Map<string, State>();
    const untold = open.flat().map((name) => `what became of ${name}`);
    for (const key of KEYS) {
      for (const proposer of PROPOSERS) {
        const { seen } = await this.#readUntil(proposer, key, deadlineMs);
        if (seen) finals.set(key.key, seen);
        else untold.push(`${key.key} through ${proposer}`);
      }
    }
    return { finals, untold };
  }

  async #readUntil(proposer: string, key: ChaosKey, deadlineMs: number): Promise<Learned> {
    const { requests, time } = this.#options;
    for (;;) {
      const told = await requests.send('final', proposer, { key, request: { kind: 'get' } });
      if (told.seen || time.nowMs() > deadlineMs) return told;
      await sleep(time, PAUSE_MS);
    }
  }
}
