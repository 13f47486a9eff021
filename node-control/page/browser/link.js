import { find, say, timeText } from './element.js';

/** @import { Snapshot } from '../server/snapshot.js' */

/** A snapshot is due each second. A control node that hangs keeps its connections. */
const SILENCE_MS = 3_000;

/** Brings the control node's snapshots, and says at the top of the page whether they come. */
export class Link {
  #onSnapshot;
  #onLoss;
  /** @type {EventSource | undefined} */
  #source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;
  #lastAtMs = 0;

  /**
   * @param {(snapshot: Snapshot) => void} onSnapshot
   * @param {(since: string) => void} onLoss with words for how old the last snapshot is
   */
  constructor(onSnapshot, onLoss) {
    this.#onSnapshot = onSnapshot;
    this.#onLoss = onLoss;
    // A browser keeps six connections to a host at most, for all tabs together.
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#close() : this.#open()));
    if (!document.hidden) this.#open();
  }

  #open() {
    if (this.#source) return;
    showLink('', 'connecting…');
    this.#source = new EventSource('events');
    // The browser tries again by itself.
    this.#source.addEventListener('error', () => this.#lose());
    this.#source.addEventListener('message', ({ data }) => this.#receive(String(data)));
    this.#awaitNext();
  }

  #close() {
    clearTimeout(this.#silence);
    this.#source?.close();
    this.#source = undefined;
  }

  /** @param {string} data */
  #receive(data) {
    this.#awaitNext();
    /** @type {unknown} */
    const parsed = JSON.parse(data);
    const snapshot = /** @type {Snapshot} */ (parsed);
    this.#lastAtMs = snapshot.atMs;
    showLink('live', 'live');
    this.#onSnapshot(snapshot);
  }

  #awaitNext() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lose(), SILENCE_MS);
  }

  #lose() {
    const since = this.#lastAtMs === 0 ? '' : `; this is from ${timeText(this.#lastAtMs)}`;
    showLink('lost', `the control node does not answer${since}`);
    this.#onLoss(this.#lastAtMs === 0 ? '' : ` since ${timeText(this.#lastAtMs)}: what stands below is from then`);
  }
}

/** @param {string} state @param {string} text */
function showLink(state, text) {
  const link = find('#link');
  link.className = state;
  say(link, text);
}
