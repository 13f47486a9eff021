import type { RegisterView } from '../server/snapshot.js';
import { element, find, replace, say, shortName, table } from './element.js';

const HEAD = ['acceptor', 'state', 'value', 'version', 'accepted', 'promise'];

const STANDINGS = {
  chosen: { kind: 'chosen', text: '✓ chosen' },
  earlier: { kind: 'chosen', text: '✓ chosen, by earlier sets' },
  older: { kind: 'older', text: 'older' },
  minority: { kind: 'open', text: 'not on a quorum' },
  unknown: { kind: 'open', text: 'not known' },
};

const ABSENT = { gone: 'does not answer', stranger: 'wrong identity', loading: 'still reads its file' };

/** As long as the control node waits for nodes that hang, and a little more. */
const ANSWER_MS = 10_000;

/** One key on each acceptor, looked at each second while the page is seen. */
export class Inspector {
  #key = 'key-1';
  /** A key that has no register, however often it is asked for */
  #refused: string | undefined;
  #asking: AbortController | undefined;
  /** Whether the answer was told to who asked: those of the seconds after it are not. */
  #isAnnounced = true;

  constructor() {
    find('#inspector').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#key = (find('#key') as HTMLInputElement).value;
      this.#asking?.abort();
      this.#asking = undefined;
      this.#isAnnounced = false;
      void this.look();
    });
  }

  async look(): Promise<void> {
    if (this.#asking || this.#key === this.#refused || document.hidden) return;
    const asking = (this.#asking = new AbortController());
    const found = await this.#ask(this.#key, AbortSignal.any([asking.signal, AbortSignal.timeout(ANSWER_MS)]));
    // By now another key may be asked for.
    if (this.#asking !== asking) return;
    this.#asking = undefined;
    replace(find('#register'), found);
  }

  /** The register's table, or why there is none. */
  async #ask(key: string, signal: AbortSignal): Promise<HTMLElement> {
    try {
      const response = await fetch(`keys?key=${encodeURIComponent(key)}`, { signal });
      const answer: unknown = await response.json();
      if (response.ok) {
        const views = answer as RegisterView[];
        if (!this.#isAnnounced && !signal.aborted) say(find('#looked'), summary(key, views));
        this.#isAnnounced = true;
        return registerTable(key, views);
      }
      if (response.status === 400) this.#refused = key;
      return refusal(key, (answer as { message: string }).message);
    } catch {
      return refusal(key, 'the control node does not answer');
    }
  }
}

/** For who does not see the table. */
function summary(key: string, views: readonly RegisterView[]): string {
  const chosen = views.filter(({ register }) => register?.standing === 'chosen');
  const value = chosen[0]?.register?.isDeleted ? 'a tombstone' : (chosen[0]?.register?.value ?? '');
  if (chosen.length === 0) return `${key}: no chosen value is seen`;
  return `${key}: chosen, ${value}, on ${chosen.map(({ acceptor }) => shortName(acceptor)).join(' and ')}`;
}

function refusal(key: string, why: string): HTMLElement {
  const about = key === '' ? [] : [element('code', {}, key), ': '];
  return element('p', { role: 'status' }, ...about, why);
}

function registerTable(key: string, views: readonly RegisterView[]): HTMLElement {
  const rows = views.map(({ acceptor, state, register, floor }) => {
    const name = shortName(acceptor);
    if (!register) return [name, state === undefined ? '' : ABSENT[state], '–', '–', '–', '–'];
    const { promise, ballot, version, value, isDeleted, standing } = register;
    if (promise === '' && ballot === '') {
      if (floor === undefined) return [name, 'holds nothing', '–', '–', '–', '–'];
      return [name, 'holds nothing', '–', `above ${floor.version}`, '–', ballotText(`${floor.era}.0.0.0`)];
    }
    const { kind, text } = ballot === '' ? { kind: 'open', text: 'promise only' } : STANDINGS[standing];
    return [
      name,
      element('span', { class: kind }, text),
      isDeleted ? element('span', { class: 'tombstone' }, 'tombstone') : element('code', {}, value || '–'),
      version === 0 ? '–' : String(version),
      ballotText(ballot),
      ballotText(promise),
    ];
  });
  return table(['The register of ', element('code', {}, key)], HEAD, rows);
}

/** Without the incarnation, which changes with each start of a proposer. */
function ballotText(ballot: string): HTMLElement | string {
  const [era, counter, proposer] = ballot.split('.');
  return ballot === '' ? '–' : element('span', { class: 'ballot', title: ballot }, `${era}.${counter}.${proposer}`);
}
