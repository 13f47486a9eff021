import type { WriteAnswer } from '../server/key-writer.js';
import type { Snapshot } from '../server/snapshot.js';
import type { Supposition } from '../server/what-if.js';
import { element, find, shortName } from './element.js';

/** As long as the control node waits for proposers, and a little more. */
const ANSWER_MS = 12_000;

const SUPPOSED = [
  ['lost', 'is lost'],
  ['prepare', 'answers a prepare'],
  ['accept', 'took a write'],
] as const;

/** What a visitor may try: to suppose a loss or two quorums, which changes nothing, and to write a key. */
export class Experiments {
  /** What the form was made for. */
  #names = '';
  /** By which sets the last answer was given. */
  #sets = '';
  #asked = 0;

  constructor() {
    find('#what-if').addEventListener('change', () => void this.#suppose());
    find('#write').addEventListener('submit', (event) => {
      event.preventDefault();
      const { submitter } = event;
      void write(submitter instanceof HTMLButtonElement ? submitter.value : '');
    });
  }

  /** Goes along with the cluster. */
  follow({ proposers, acceptors }: Snapshot): void {
    const names = JSON.stringify([proposers, acceptors].map((nodes) => nodes.map(({ name }) => name)));
    if (names !== this.#names) {
      this.#names = names;
      find('#what-if').replaceChildren(...SUPPOSED.map(([field, text]) => choices(field, text, acceptors)));
      find('#values').replaceChildren(...proposers.map(({ name }, index) => valueField(name, index === 0 ? 'green' : 'blue')));
    }
    const sets = JSON.stringify(proposers.map(({ sets }) => sets));
    if (sets === this.#sets) return;
    this.#sets = sets;
    void this.#suppose();
  }

  async #suppose(): Promise<void> {
    const asked = (this.#asked += 1);
    const fields = find('#what-if') as HTMLFormElement;
    const ticked = new FormData(fields);
    const query = new URLSearchParams(SUPPOSED.map(([field]) => [field, ticked.getAll(field).map(String).join(',')]));
    const place = find('#consequence');
    if ([...ticked].length === 0) {
      place.replaceChildren();
      return;
    }
    try {
      const response = await fetch(`what-if?${query}`, { signal: AbortSignal.timeout(ANSWER_MS) });
      const told = (await response.json()) as (Supposition & { name: string })[];
      const texts = told.map(({ service, meeting }) => (ticked.has('lost') ? [service, meeting] : [meeting]));
      const isUniform = texts.every((each) => String(each) === String(texts[0]));
      const lines = isUniform
        ? (texts[0] ?? [])
        : texts.flatMap((each, index) => each.map((text) => text && `${told[index]?.name}: ${text}`));
      // Somebody may have ticked on meanwhile.
      if (asked === this.#asked) place.replaceChildren(...lines.filter((text) => text !== '').map((text) => element('p', {}, text)));
    } catch {
      if (asked === this.#asked) place.replaceChildren(element('p', {}, 'The control node does not answer.'));
    }
  }
}

function choices(field: string, text: string, acceptors: Snapshot['acceptors']): HTMLElement {
  return element(
    'fieldset',
    {},
    element('legend', {}, text),
    ...acceptors.map(({ name }) =>
      element('label', {}, element('input', { type: 'checkbox', name: field, value: name }), ` ${shortName(name)}`),
    ),
  );
}

function valueField(proposer: string, value: string): HTMLElement {
  return element(
    'p',
    {},
    element('label', {}, `value through ${proposer} `, element('input', { name: proposer, value, maxlength: 100, autocomplete: 'off' })),
    ' ',
    element('button', { value: proposer }, `Write through ${proposer}`),
  );
}

/** @param only the proposer to write through, all if it is empty */
async function write(only: string): Promise<void> {
  const { key = '', ...values } = Object.fromEntries(new FormData(find('#write') as HTMLFormElement));
  const chosen = Object.entries(values).filter(([name]) => only === '' || name === only);
  const body = JSON.stringify({ key, values: Object.fromEntries(chosen) });
  const place = find('#written');
  place.replaceChildren(element('p', {}, '…'));
  try {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch('writes', { method: 'POST', body, headers, signal: AbortSignal.timeout(ANSWER_MS) });
    const answer: unknown = await response.json();
    const lines = response.ok
      ? (answer as WriteAnswer[]).map(({ proposer, status, text }) => `${proposer}: ${status ?? '–'}, ${text}`)
      : [(answer as { message: string }).message];
    place.replaceChildren(...lines.map((line) => element('p', {}, line)));
  } catch {
    place.replaceChildren(element('p', {}, 'The control node does not answer: whether it was written is not known.'));
  }
}
