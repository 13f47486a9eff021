import type { Snapshot } from '../server/snapshot.js';
import { find, say, timeText } from './element.js';

/** A snapshot is due each second. A control node that hangs keeps its connections. */
const SILENCE_MS = 3_000;

/** Brings the control node's snapshots, and says at the top of the page whether they come. */
export class Link {
  readonly #onSnapshot: (snapshot: Snapshot) => void;
  readonly #onLoss: (since: string) => void;
  #source: EventSource | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #lastAtMs = 0;

  /** @param onLoss with words for how old the last snapshot is */
  constructor(onSnapshot: (snapshot: Snapshot) => void, onLoss: (since: string) => void) {
    this.#onSnapshot = onSnapshot;
    this.#onLoss = onLoss;
    // A browser keeps six connections to a host at most, for all tabs together.
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#close() : this.#open()));
    if (!document.hidden) this.#open();
  }

  #open(): void {
    if (this.#source) return;
    showLink('', 'connecting…');
    this.#source = new EventSource('events');
    // The browser tries again by itself.
    this.#source.addEventListener('error', () => this.#lose());
    this.#source.addEventListener('message', ({ data }) => this.#receive(String(data)));
    this.#awaitNext();
  }

  #close(): void {
    clearTimeout(this.#silence);
    this.#source?.close();
    this.#source = undefined;
  }

  #receive(data: string): void {
    this.#awaitNext();
    const snapshot = JSON.parse(data) as Snapshot;
    this.#lastAtMs = snapshot.atMs;
    showLink('live', 'live');
    this.#onSnapshot(snapshot);
  }

  #awaitNext(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lose(), SILENCE_MS);
  }

  #lose(): void {
    const since = this.#lastAtMs === 0 ? '' : `; this is from ${timeText(this.#lastAtMs)}`;
    showLink('lost', `the control node does not answer${since}`);
    this.#onLoss(this.#lastAtMs === 0 ? '' : ` since ${timeText(this.#lastAtMs)}: what stands below is from then`);
  }
}

function showLink(state: string, text: string): void {
  const link = find('#link');
  link.className = state;
  say(link, text);
}
