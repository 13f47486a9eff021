import type { Snapshot } from '../server/snapshot.js';
import { find, onKey, say, timeText } from './element.js';

/** Ten minutes. */
const KEPT_SNAPSHOTS = 600;

/** What is drawn: the last snapshot, or one of the last ten minutes while the picture is held. */
export class Picture {
  readonly #draw: (snapshot: Snapshot) => void;
  readonly #collect: (snapshot: Snapshot) => void;
  #kept: Snapshot[] = [];
  /** How many came while it was held. */
  #missed = 0;
  #isHeld = false;

  /**
   * @param draw shows what one snapshot says
   * @param collect goes on with what each snapshot adds to those before it
   */
  constructor(draw: (snapshot: Snapshot) => void, collect: (snapshot: Snapshot) => void) {
    this.#draw = draw;
    this.#collect = collect;
    find('#hold').addEventListener('click', () => this.#toggle());
    find('#back').addEventListener('input', () => this.redraw());
    onKey(' ', () => this.#toggle());
  }

  receive(snapshot: Snapshot): void {
    this.#kept = [...this.#kept, snapshot].slice(-KEPT_SNAPSHOTS);
    if (this.#isHeld) {
      this.#missed += 1;
      this.#sayWhen();
    } else {
      this.#collect(snapshot);
      this.#draw(snapshot);
    }
  }

  #toggle(): void {
    const last = this.#kept.at(-1);
    if (last === undefined) return;
    this.#isHeld = !this.#isHeld;
    find('#hold').setAttribute('aria-pressed', String(this.#isHeld));
    find('#held').hidden = !this.#isHeld;
    if (this.#isHeld) {
      this.#field.max = this.#field.value = String(this.#kept.length - 1);
      this.#sayWhen();
      return;
    }
    for (const snapshot of this.#missed > 0 ? this.#kept.slice(-this.#missed) : []) this.#collect(snapshot);
    this.#missed = 0;
    this.#draw(last);
  }

  /** Shows once more what is shown. */
  redraw(): void {
    const snapshot = this.#isHeld ? this.#shown : this.#kept.at(-1);
    if (snapshot) this.#draw(snapshot);
    if (this.#isHeld) this.#sayWhen();
  }

  #sayWhen(): void {
    const [shown, last] = [this.#shown, this.#kept.at(-1)];
    if (!shown || !last) return;
    const text = `held at ${timeText(shown.atMs)}, ${Math.round((last.atMs - shown.atMs) / 1_000)} s behind`;
    say(find('#held span'), text);
    this.#field.setAttribute('aria-valuetext', timeText(shown.atMs));
  }

  /** Those before the hold stay where they are, while later ones come. */
  get #shown(): Snapshot | undefined {
    const field = this.#field;
    const dropped = this.#kept.length - this.#missed - 1 - Number(field.max);
    return this.#kept[Math.max(0, Number(field.value) + Math.min(0, dropped))];
  }

  get #field(): HTMLInputElement {
    return find('#back') as HTMLInputElement;
  }
}
