import { find, say } from '../../node-control/page/browser/element.js';
import { adversaryMove, friendlyMove } from '../stage/adversary.js';
import type { Session } from './session.js';

/** A move each so many milliseconds at the slowest speed. */
const SLOWEST_MS = 1_600;

/** Makes the moves that nobody makes by hand. */
export class Player {
  #playing: 'play' | 'surprise' | undefined;
  readonly #session: Session;
  readonly #attempt: (deed: Promise<unknown>) => Promise<void>;
  /** Whether what is played ends where the recorded choices end. */
  isLed = (): boolean => false;
  /** When it begins or ends. */
  onChange: (() => void) | undefined;

  constructor(session: Session, attempt: (deed: Promise<unknown>) => Promise<void>) {
    this.#session = session;
    this.#attempt = attempt;
  }

  get isPlaying(): boolean {
    return this.#playing !== undefined;
  }

  toggle(what: 'play' | 'surprise'): void {
    this.#set(this.#playing === what ? undefined : what);
  }

  stop(): void {
    this.#set(undefined);
  }

  /** The next move: the one that was made here before, or what happens where nobody interferes. */
  stepOn(): Promise<void> | undefined {
    const session = this.#session;
    if (session.at < session.run.choices.length) return session.go(session.at + 1);
    if (session.run.simulated || (this.#playing === 'play' && this.isLed())) return undefined;
    const move = friendlyMove(session.view);
    return move === undefined ? undefined : session.choose(move);
  }

  /** As long as the page is open. */
  async run(): Promise<void> {
    for (;;) {
      const speed = Number((find('#speed') as HTMLInputElement).value);
      await new Promise((resolve) => setTimeout(resolve, SLOWEST_MS / 2 ** (speed - 1)));
      if (this.#playing === undefined) continue;
      const { view, run } = this.#session;
      const deed = this.#playing === 'play' ? this.stepOn() : this.#session.choose(adversaryMove(view, run.seed));
      if (deed === undefined || !view.verdict.isSound) this.stop();
      else await this.#attempt(deed);
    }
  }

  #set(what: 'play' | 'surprise' | undefined): void {
    if (this.#playing === what) return;
    this.#playing = what;
    for (const id of ['play', 'surprise'] as const) find(`#${id}`).setAttribute('aria-pressed', String(what === id));
    say(find('#play'), what === 'play' ? 'Pause' : 'Play');
    this.onChange?.();
  }
}
