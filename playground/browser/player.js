import { find, say } from '../../node-control/page/browser/element.js';

/** @import { Session } from './session.js' */

/** A move each so many milliseconds at the slowest speed. */
const SLOWEST_MS = 1_600;

/** Makes the moves that nobody makes by hand. */
export class Player {
  /** @type {'play' | 'surprise' | undefined} */
  #playing;
  #session;
  #attempt;
  /** Whether what is played ends where the recorded choices end. */
  isLed = () => false;
  /** When it begins or ends. @type {(() => void) | undefined} */
  onChange;

  /** @param {Session} session @param {(deed: Promise<unknown>) => Promise<void>} attempt */
  constructor(session, attempt) {
    this.#session = session;
    this.#attempt = attempt;
  }

  get isPlaying() {
    return this.#playing !== undefined;
  }

  /** @param {'play' | 'surprise'} what */
  toggle(what) {
    this.#set(this.#playing === what ? undefined : what);
  }

  stop() {
    this.#set(undefined);
  }

  /** The next move: the one that was made here before, or what happens where nobody interferes. */
  stepOn() {
    const session = this.#session;
    if (session.at < session.run.choices.length) return session.go(session.at + 1);
    if (session.run.simulated || (this.#playing === 'play' && this.isLed())) return undefined;
    const move = session.modules.friendlyMove(session.view);
    return move === undefined ? undefined : session.choose(move);
  }

  /** As long as the page is open. */
  async run() {
    for (;;) {
      const speed = Number(/** @type {HTMLInputElement} */ (find('#speed')).value);
      await new Promise((resolve) => setTimeout(resolve, SLOWEST_MS / 2 ** (speed - 1)));
      if (this.#playing === undefined) continue;
      const { modules, view, run } = this.#session;
      const deed = this.#playing === 'play' ? this.stepOn() : this.#session.choose(modules.adversaryMove(view, run.seed));
      if (deed === undefined || !view.verdict.isSound) this.stop();
      else await this.#attempt(deed);
    }
  }

  /** @param {'play' | 'surprise' | undefined} what */
  #set(what) {
    if (this.#playing === what) return;
    this.#playing = what;
    for (const id of /** @type {const} */ (['play', 'surprise'])) find(`#${id}`).setAttribute('aria-pressed', String(what === id));
    say(find('#play'), what === 'play' ? 'Pause' : 'Play');
    this.onChange?.();
  }
}
