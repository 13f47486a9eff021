import type { Random } from '../../client/random.js';
import type { State, WriteRequest } from '../checkers/history.js';
import type { ChaosKey } from './key-kinds.js';

/** A request as it goes to a proposer. */
export interface Asked<Kind = WriteRequest> {
  readonly key: ChaosKey;
  readonly request: Kind;
  /** A compare-and-set that is sent as a `set` with a condition. */
  readonly isPosted?: boolean;
  /** With a name: the version of the key that the client knew when it sent this for the first time. */
  readonly since?: number;
}

/** Of all writes; the others extend what is there. */
const SHARES = { cas: 0.35, set: 0.15, delete: 0.2 };
/** Of those that do not need it: writes that expect the version that their client saw. */
const CONDITIONAL = 0.5;

/** A number that is set is a multiple of the first. What is added to it is between the second and twice that, so that no number is a sum of others. */
const SET_STEP = 2 ** 32;
const ADD_LEAST = 2 ** 24;

/** Makes up writes of all kinds, each with a word of its own, or with a number of its own. */
export class NextWrite {
  readonly #random: Random;
  #numbers = 0;
  #sums = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * @param word for this write alone
   * @param isResting whether the key is to be deleted, and not to be created
   */
  take(key: ChaosKey, word: string, { ver: seenVer, val: onto }: State, isResting: boolean): Asked | undefined {
    const ver = onto === null ? 0 : seenVer;
    const isConditional = this.#random() < CONDITIONAL;
    const dice = this.#random();
    if (isResting) return ver === 0 ? undefined : deletion(key, isConditional, ver);
    const isSet = dice >= SHARES.cas && dice < SHARES.cas + SHARES.set;
    if (dice < SHARES.cas || (isSet && isConditional)) {
      return { key, request: { kind: 'cas', ver, val: this.#toSet(key, word), onto }, isPosted: isSet };
    }
    if (isSet) return { key, request: { kind: 'set', val: this.#toSet(key, word) } };
    if (dice < SHARES.cas + SHARES.set + SHARES.delete && key.restedMs !== undefined) return deletion(key, isConditional, ver);
    return { key, request: { kind: key.extends, val: this.#toExtend(key, word), ...(isConditional && { ver }) } };
  }

  #toSet(key: ChaosKey, word: string): string {
    return key.extends === 'add' ? String((this.#numbers += 1) * SET_STEP) : word;
  }

  #toExtend(key: ChaosKey, word: string): string {
    return key.extends === 'add' ? String(ADD_LEAST + (this.#sums += 1)) : word;
  }
}

function deletion(key: ChaosKey, isConditional: boolean, ver: number): Asked {
  return { key, request: { kind: 'delete', ...(isConditional && ver > 0 && { ver }) } };
}
