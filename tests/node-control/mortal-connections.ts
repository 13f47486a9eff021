import type { Connections } from '../../node-control/nodes/connections.js';

/** Counts what a control node writes, and kills it at one of these: from then on it neither does nor hears anything. */
export class Mortal {
  readonly connections: Connections;
  readonly #killAt: number;
  #writes = 0;
  #isDead = false;

  /**
   * @param killAt the number of the write, from 1
   * @param moment `before` the write leaves, or `after` it was done, when its answer is never heard
   */
  constructor(connections: Connections, killAt: number, moment: 'before' | 'after') {
    this.#killAt = killAt;
    const write = async <Reply>(act: () => Promise<Reply>): Promise<Reply> => {
      this.#writes += 1;
      const isLast = this.#writes === this.#killAt;
      if (isLast && moment === 'before') this.#isDead = true;
      const reply = await this.#alive(act);
      if (isLast) this.#isDead = true;
      return this.#alive(() => Promise.resolve(reply));
    };
    this.connections = {
      proposer: (name) => {
        const admin = connections.proposer(name);
        return {
          configuration: () => this.#alive(() => admin.configuration()),
          identity: () => this.#alive(() => admin.identity()),
          configure: (expectedEra, next) => write(() => admin.configure(expectedEra, next)),
          rescan: (era, keys) => write(() => admin.rescan(era, keys)),
          close: () => admin.close(),
        };
      },
      acceptor: (name) => {
        const admin = connections.acceptor(name);
        return {
          connect: () => this.#alive(() => admin.connect()),
          keys: () => admin.keys(),
          size: () => this.#alive(() => admin.size()),
          highestEra: () => this.#alive(() => admin.highestEra()),
          identity: () => this.#alive(() => admin.identity()),
          eras: () => this.#alive(async () => admin.eras?.()),
          adopt: (identity) => write(() => admin.adopt(identity)),
          wipe: (whose) => write(() => admin.wipe(whose)),
          floor: () => this.#alive(() => admin.floor()),
          raiseFloor: (floor) => write(() => admin.raiseFloor(floor)),
          remains: (keys) => this.#alive(() => admin.remains(keys)),
          erase: (era, tombstones) => write(() => admin.erase(era, tombstones)),
          holdings: (keys) => this.#alive(() => admin.holdings(keys)),
          accepted: (keys) => this.#alive(() => admin.accepted(keys)),
          copy: (era, registers) => write(() => admin.copy(era, registers)),
          close: () => admin.close(),
        };
      },
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  async #alive<Reply>(act: () => Promise<Reply>): Promise<Reply> {
    if (this.#isDead) throw new Error('this control node is dead');
    return act();
  }
}
