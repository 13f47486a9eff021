/** @import { Run } from '../stage/run.js' */
/** @import { StageView } from '../../verification/pictures/view.js' */
/** @typedef {Awaited<ReturnType<typeof import('./loader.js').loadStage>>} StageModules */

import { loadStage } from './loader.js';

/** A run, and the moment of it that is shown. To choose something else than what followed then begins a branch. */
export class Session {
  /** @type {Run} */
  run = { cluster: '', seed: 1, off: [], choices: [] };
  at = 0;
  /** @type {StageModules} */
  #modules;
  /** @type {Awaited<ReturnType<StageModules['staged']>>} */
  #stage;
  /** @type {StageView} */
  view;
  #show;
  /** Moves are made one after the other. */
  #turn = Promise.resolve();

  /** @param {StageModules} modules @param {(session: Session) => void} show */
  constructor(modules, show) {
    this.#modules = modules;
    this.#show = show;
    this.#stage = /** @type {Awaited<ReturnType<StageModules['staged']>>} */ (/** @type {unknown} */ (undefined));
    this.view = /** @type {StageView} */ (/** @type {unknown} */ (undefined));
  }

  get modules() {
    return this.#modules;
  }

  get operations() {
    return this.#stage.operations;
  }

  get address() {
    return this.#modules.addressOf(this.run, this.at);
  }

  /**
   * Opens a run. Rejects where one of its moves cannot be made; what was open stays.
   *
   * @param {Run} run
   * @param {number} [at]
   * @param {() => void} [onOpened] is called before it is shown
   */
  open(run, at = Infinity, onOpened = () => undefined) {
    return this.#inTurn(async () => {
      const modules = await loadStage(run.off, run.simulated !== undefined);
      const stage = await modules.staged(run, at);
      const choices = 'choices' in stage ? stage.choices : run.choices;
      [this.#modules, this.#stage, this.run, this.at] = [modules, stage, { ...run, choices }, Math.min(at, choices.length)];
      onOpened();
    });
  }

  /** Shows another moment. @param {number} at */
  go(at) {
    return this.#inTurn(async () => {
      const target = Math.min(Math.max(at, 0), this.run.choices.length);
      if (target < this.at) this.#stage = await this.#modules.staged(this.run, target);
      else for (const choice of this.run.choices.slice(this.at, target)) await this.#stage.apply(choice);
      this.at = target;
    });
  }

  /** Makes a move; of what followed here before, nothing is left then. Rejects where it cannot be made. @param {string} choice */
  choose(choice) {
    return this.#inTurn(async () => {
      if (this.at >= this.#modules.CHOICES_MAX) throw new RangeError('this run is long enough; begin anew');
      if (this.run.simulated) throw new RangeError('this is a run of the simulation: look at it step by step');
      if (this.run.choices[this.at] !== choice) this.run = { ...this.run, choices: [...this.run.choices.slice(0, this.at), choice] };
      try {
        await this.#stage.apply(choice);
        this.at += 1;
      } catch (error) {
        this.run = { ...this.run, choices: this.run.choices.slice(0, this.at) };
        throw error;
      }
    });
  }

  /** @param {() => Promise<void>} task @returns {Promise<void>} */
  #inTurn(task) {
    const done = this.#turn.then(task).then(() => {
      this.view = this.#stage.view();
      this.#show(this);
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
