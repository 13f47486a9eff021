import type { RecordedOperation } from '../../verification/checkers/history.js';
import type { Recording } from '../../verification/pictures/recording.js';
import type { StageView } from '../../verification/pictures/view.js';
import type { recordedAt } from '../stage/recorded-run.js';
import { addressOf, CHOICES_MAX, type replay, type Run } from '../stage/run.js';
import type { Stage } from '../stage/stage.js';
import { loadRecordedAt, loadReplay } from './loader.js';

/** A run, and the moment of it that is shown. To choose something else than what followed then begins a branch. */
export class Session {
  run: Run = { cluster: '', seed: 1, off: [], choices: [] };
  at = 0;
  /** Undefined until the first run is opened, as the two after it. */
  #staged!: typeof replay | typeof recordedAt;
  #stage!: Stage | Recording;
  view!: StageView;
  readonly #show: (session: Session) => void;
  /** Moves are made one after the other. */
  #turn = Promise.resolve();

  constructor(show: (session: Session) => void) {
    this.#show = show;
  }

  get operations(): readonly RecordedOperation[] {
    return this.#stage.operations;
  }

  get address(): string {
    return addressOf(this.run, this.at);
  }

  /** Opens a run. Rejects where one of its moves cannot be made; what was open stays. @param onOpened is called before it is shown */
  open(run: Run, at = Infinity, onOpened: () => void = () => undefined): Promise<void> {
    return this.#inTurn(async () => {
      const staged = await (run.simulated ? loadRecordedAt(run.off) : loadReplay(run.off));
      const stage = await staged(run, at);
      const choices = 'choices' in stage ? stage.choices : run.choices;
      [this.#staged, this.#stage, this.run, this.at] = [staged, stage, { ...run, choices }, Math.min(at, choices.length)];
      onOpened();
    });
  }

  /** Shows another moment. */
  go(at: number): Promise<void> {
    return this.#inTurn(async () => {
      const target = Math.min(Math.max(at, 0), this.run.choices.length);
      if (target < this.at) this.#stage = await this.#staged(this.run, target);
      else for (const choice of this.run.choices.slice(this.at, target)) await this.#stage.apply(choice);
      this.at = target;
    });
  }

  /** Makes a move; of what followed here before, nothing is left then. Rejects where it cannot be made. */
  choose(choice: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.at >= CHOICES_MAX) throw new RangeError('this run is long enough; begin anew');
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

  #inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(task).then(() => {
      this.view = this.#stage.view();
      this.#show(this);
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
