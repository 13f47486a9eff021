import type { Pressed } from '../../server/buttons.js';
import type { Snapshot } from '../../server/snapshot.js';
import { copiable } from '../commands.js';
import { element, say, shortName } from '../element.js';

/** What `fault.sh` can do to local processes; and in Docker, besides. */
const [ACTIONS, ACTIONS_IN_DOCKER] = [
  ['kill', 'pause', 'resume', 'start'],
  ['cut', 'join'],
];
/** Those that `fault.sh` knows, but for the one that serves this page. */
const OURS = /^(acceptor-[123]|proposer-[12])$/;

/** What the operator may do from the page with the admin token: each command stands there as it would be typed. */
export class ButtonsSection {
  readonly #token = element('input', { type: 'password', autocomplete: 'off', spellcheck: 'false' });
  readonly #step = element('div');
  readonly #fault = element('div');
  readonly #node = element('select');
  readonly #action = element('select');
  readonly #done = element('p', { role: 'status' });
  readonly #output = element('pre', { tabindex: 0, 'aria-label': 'What the command printed', hidden: true });
  #reachesFaults = false;
  /** What the section was made for. */
  #shown = '';

  constructor(place: HTMLElement) {
    const form = element('form', {}, element('label', {}, 'Admin token ', this.#token));
    form.addEventListener('submit', (event) => event.preventDefault());
    const choice = element('p', {}, element('label', {}, 'Node ', this.#node), ' ', element('label', {}, 'Fault ', this.#action));
    choice.addEventListener('change', () => this.#showFault());
    place.append(
      form,
      element('h3', {}, 'The next safe step'),
      this.#step,
      element('h3', {}, 'Break a node, and mend it'),
      choice,
      this.#fault,
      this.#done,
      this.#output,
      element(
        'p',
        { class: 'hint' },
        'Each command is the one that you would type in node-control/. A step is refused unless it is, at that moment, the next one that the guard lets pass. The token is in the file admin-token of the secrets (.secrets/PROJECT in Docker, .cluster/secrets without); the page keeps it until it is closed.',
      ),
    );
    place.hidden = false;
  }

  /** Goes along with the cluster. */
  follow({ narration, buttons, proposers, acceptors }: Snapshot): void {
    const [command = ''] = narration.commands;
    const names = [...acceptors, ...proposers].map(({ name }) => shortName(name)).filter((name) => OURS.test(name));
    const shown = JSON.stringify([command, buttons, names]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const isRun = buttons?.faults === 'run';
    const isDone = isRun || command.startsWith('./run-control.sh ');
    this.#step.replaceChildren(
      command === '' ? element('p', {}, 'Nothing is to be done, or nothing can be.') : this.#commandLine(command, isDone),
    );
    options(this.#node, names);
    options(this.#action, isRun ? ACTIONS : [...ACTIONS, ...ACTIONS_IN_DOCKER]);
    this.#reachesFaults = isRun;
    this.#showFault();
  }

  #showFault(): void {
    const command = `./fault.sh ${this.#action.value} ${this.#node.value}`;
    this.#fault.replaceChildren(this.#commandLine(command, this.#reachesFaults));
  }

  /** @param isDone whether the control node can do it; else it can be copied only */
  #commandLine(command: string, isDone: boolean): HTMLElement {
    const line = element('p', {}, ...copiable(command).flatMap((part) => [part, ' ']));
    if (!isDone) return line;
    const button = element('button', { type: 'button', 'aria-label': `Do ${command}` }, 'Do it');
    button.addEventListener('click', () => void this.#press(command));
    line.append(button);
    return line;
  }

  async #press(command: string): Promise<void> {
    if (this.#token.value === '') {
      say(this.#done, 'The admin token first, please.');
      this.#token.focus();
      return;
    }
    this.#tell(`${command} …`);
    try {
      const response = await fetch('commands', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token.value}` },
        body: JSON.stringify({ command }),
      });
      const answer: unknown = await response.json();
      if (response.ok) {
        const { exitCode, output } = answer as Pressed;
        this.#tell(`${command}: ${exitCode === 0 ? 'done' : `not done, exit code ${exitCode}`}`, output);
      } else this.#tell(`${command}: ${(answer as { message: string }).message}`);
    } catch {
      this.#tell(`${command}: no answer came; see above what became of it.`);
    }
  }

  #tell(text: string, output = ''): void {
    say(this.#done, text);
    say(this.#output, output);
    this.#output.hidden = output === '';
  }
}

function options(select: HTMLSelectElement, names: readonly string[]): void {
  const { value } = select;
  select.replaceChildren(...names.map((name) => element('option', { selected: name === value }, name)));
}
