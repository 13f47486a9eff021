import type { NodeSettings } from '../../nodes/settings.js';
import { lookAtKey } from './register-view.js';
import type { RegisterView } from './snapshot.js';

/** However many pages look at a key, the acceptors are asked once in this time. */
const FRESH_MS = 900;
/** Each look at a key takes connections to all nodes; a page looks at one. */
const LOOKS_MAX = 50;

/** Shares the looks at keys among the pages. */
export class KeyInspector {
  readonly #nodes: NodeSettings;
  readonly #looks = new Map<string, Promise<RegisterView[]>>();

  constructor(nodes: NodeSettings) {
    this.#nodes = nodes;
  }

  /** Whether as many other keys were looked at just now as may be. */
  isBusy(key: string): boolean {
    return this.#looks.size >= LOOKS_MAX && !this.#looks.has(key);
  }

  look(key: string): Promise<RegisterView[]> {
    let look = this.#looks.get(key);
    if (!look) {
      this.#looks.set(key, (look = lookAtKey(this.#nodes, key)));
      setTimeout(() => this.#looks.delete(key), FRESH_MS);
    }
    return look;
  }
}
