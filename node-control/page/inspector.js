import { element, find, shortName, table } from './element.js';

/** @import { RegisterView } from '../service/snapshot.js' */

const HEAD = ['acceptor', 'promise', 'accepted', 'version', 'value', ''];

/** One key on each acceptor, looked at each second while the page is seen. */
export class Inspector {
  #key = 'key-1';
  #isAsking = false;

  constructor() {
    find('#inspector').addEventListener('submit', (event) => {
      event.preventDefault();
      const field = /** @type {HTMLInputElement} */ (find('#key'));
      this.#key = field.value;
      void this.look();
    });
  }

  async look() {
    if (this.#key === '' || this.#isAsking || document.hidden) return;
    this.#isAsking = true;
    const key = this.#key;
    try {
      const response = await fetch(`keys/${encodeURIComponent(key)}`);
      /** @type {unknown} */
      const answer = await response.json();
      if (response.ok && key === this.#key) find('#register').replaceChildren(registerTable(key, /** @type {RegisterView[]} */ (answer)));
    } catch {
      // The line at the top says that the control node does not answer.
    } finally {
      this.#isAsking = false;
    }
  }
}

/** @param {string} key @param {readonly RegisterView[]} views */
function registerTable(key, views) {
  const rows = views.map(({ acceptor, state, register }) => {
    const name = shortName(acceptor);
    if (!register) return [name, '–', '–', '–', '–', state === 'stranger' ? 'wrong identity' : 'does not answer'];
    const { promise, ballot, version, value, isChosen } = register;
    if (promise === '' && ballot === '') return [name, '–', '–', '–', '–', 'holds nothing'];
    return [
      name,
      ballotText(promise),
      ballotText(ballot),
      version === 0 ? '–' : String(version),
      element('code', {}, value || '–'),
      isChosen
        ? element('span', { class: 'chosen' }, '✓ chosen')
        : element('span', { class: 'open' }, ballot === '' ? 'promise only' : 'not on a quorum'),
    ];
  });
  return table(`The register of ${key}`, HEAD, rows);
}

/** Without the incarnation, which changes with each start of a proposer. @param {string} ballot */
function ballotText(ballot) {
  const [era, counter, proposer] = ballot.split('.');
  return ballot === '' ? '–' : element('span', { class: 'ballot', title: ballot }, `${era}.${counter}.${proposer}`);
}
