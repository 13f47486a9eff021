import { element, say, unbroken } from './element.js';

/** How long a button says that it has copied. */
const SAID_MS = 2_000;

/** A file that the control node serves beside the page, and a heading in it. */
type Section = readonly [file: string, heading: string];

const STEPS: Section = ['docs/reconfiguration.md', 'The steps, and why each is where it is'];
const RUNBOOK: Section = ['docs/reconfiguration.md', 'Runbook'];

/** Which rule a command serves, by its first words after the program, and where the docs tell more. */
const RULES: Record<string, readonly [rule: string, more: Section]> = {
  'add-accept': ['Before rounds begin with what an acceptor tells, writes must reach it: so it joins the accept set first.', STEPS],
  'add-prepare': [
    'A round may begin with what this acceptor tells once every prepare quorum still meets every accept quorum that a value may rest on.',
    STEPS,
  ],
  'rm-accept': ['Writes stop counting on an acceptor first, while rounds still ask it: so each write that rests on it is found.', STEPS],
  'rm-prepare': ['No write counts on this acceptor any more, so no round has to ask it.', STEPS],
  rescan: [
    'A key that nobody wrote since may rest where later quorums do not look. A rescan brings each key to the present accept set.',
    STEPS,
  ],
  resize: ['It does the single steps in an order in which every prepare quorum meets every accept quorum all the time.', STEPS],
  'wipe-acceptor': [
    'What an acceptor holds grows stale once nobody asks it any more. It may join again only when it is empty.',
    ['docs/tour.md', 'Three to one'],
  ],
  copy: [
    'While proposers have different sets, quorums of all of them have to meet. With one configuration for all, the next step can be judged.',
    RUNBOOK,
  ],
  'fault.sh': [
    'A round goes on when a quorum has answered: these nodes are what is missing for one, or for changing the sets.',
    ['docs/tour.md', 'One lost'],
  ],
};

/** What is to be typed, and a button that copies it. */
export function copiable(command: string): readonly [code: HTMLElement, button: HTMLElement] {
  const code = element('code', {}, ...unbroken(command));
  const button = element('button', { type: 'button', class: 'copy', 'aria-label': `Copy ${command}` }, 'Copy');
  button.addEventListener('click', () => void copy(command, code, button));
  return [code, button];
}

/** A command that can be copied, and why it comes next. */
export function commandItem(command: string): HTMLElement {
  const [code, button] = copiable(command);
  const [, verb = ''] = /^\.\/(?:run-control\.sh )?(\S+)/.exec(command) ?? [];
  const rule = RULES[verb];
  const why =
    rule === undefined ? [] : [element('details', {}, element('summary', {}, 'Why this step?'), `${rule[0]} More: `, sectionLink(rule[1]))];
  return element('li', {}, code, ' ', button, ...why);
}

/** In a tab of its own, so that the page goes on. A browser that knows text fragments goes to the heading. */
function sectionLink([file, heading]: Section): HTMLElement {
  // Markdown, as it stands in the project.
  const href = `${file}#:~:text=${encodeURIComponent(heading).replaceAll('-', '%2D')}`;
  return element('a', { href, target: '_blank', rel: 'noopener' }, `${file}, “${heading}”`);
}

async function copy(text: string, shown: HTMLElement, button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(button, 'Copied');
  } catch {
    // Browsers give a page that did not come from this machine no clipboard.
    getSelection()?.selectAllChildren(shown);
    say(button, 'Selected');
  }
  setTimeout(() => say(button, 'Copy'), SAID_MS);
}
