import type { FunnelSecond, Snapshot, Mark, Narration } from '../server/snapshot.js';
import { Chart } from './chart.js';
import { commandItem } from './commands.js';
import { element, find, onKey, replace, say, timeText, unbroken } from './element.js';
import { Experiments } from './experiments.js';
import { graph } from './graph.js';
import { Inspector } from './inspector.js';
import { Link } from './link.js';
import type { ButtonsSection } from './on-demand/buttons.js';
import type { TwinSection } from './on-demand/twin.js';
import { Picture } from './picture.js';
import { proposersTable, setsTable } from './tables.js';

const chart = new Chart(find('#chart'));
const inspector = new Inspector();
const experiments = new Experiments();
let lastMark: Mark | undefined;

let lastSecond: FunnelSecond | undefined;

/** A script that few visitors need comes when it is asked for. */
let twin: Promise<TwinSection> | undefined;
find('#watch').addEventListener('submit', (event) => {
  event.preventDefault();
  const { value } = find('#watched') as HTMLInputElement;
  twin ??= import('./on-demand/twin.js').then(({ TwinSection }) => new TwinSection());
  twin.then(
    (one) => one.watch(value),
    () => {
      twin = undefined;
      say(find('#watching'), 'The control node does not answer.');
    },
  );
});

let buttons: Promise<ButtonsSection> | undefined;

/** For a projector: what matters on one screen, in large letters. */
function toggleBig(): void {
  const isBig = document.documentElement.classList.toggle('big');
  find('#big').setAttribute('aria-pressed', String(isBig));
}
find('#big').addEventListener('click', toggleBig);
if (new URLSearchParams(location.search).has('big')) toggleBig();
onKey('f', toggleBig);

const picture = new Picture(show, (snapshot) => {
  if (snapshot.isFirst) chart.clear();
  chart.add(snapshot.atMs, snapshot.funnel, snapshot.marks);
  lastSecond = snapshot.funnel.at(-1) ?? lastSecond;
});

new Link(
  (snapshot) => {
    const wasLost = document.body.classList.contains('stale');
    document.body.classList.remove('stale');
    picture.receive(snapshot);
    // A picture that is held is not drawn for that, and the headline tells of the loss still.
    if (wasLost) picture.redraw();
  },
  (since) => {
    document.body.classList.add('stale');
    narrate({ now: `Nothing is heard from the control node${since}. ./build-run.sh starts it again.`, commands: [] });
  },
);

function show(snapshot: Snapshot): void {
  narrate(snapshot.narration);
  replace(find('#graph'), graph(snapshot, lastSecond));
  replace(find('#sets'), setsTable(snapshot));
  replace(find('#proposers'), proposersTable(snapshot));
  say(find('#client-state'), snapshot.isClientRunning ? '' : 'no client runs: ./run-client.sh');
  showMarks(snapshot.marks);
  experiments.follow(snapshot);
  if (snapshot.buttons) {
    buttons ??= import('./on-demand/buttons.js').then(({ ButtonsSection }) => new ButtonsSection(find('#buttons')));
    buttons.then(
      (section) => section.follow(snapshot),
      () => (buttons = undefined),
    );
  }
  void twin?.then((one) => one.follow(snapshot));
  void inspector.look();
}

/** Only what changed, so that a screen reader does not hear it every second. */
function narrate({ now, unspread, next, commands }: Narration): void {
  const headline = find('#now');
  if (headline.textContent !== now) headline.replaceChildren(...unbroken(now));
  find('#unspread').hidden = unspread === undefined;
  say(find('#unspread'), unspread ?? '');
  find('#next').hidden = next === undefined;
  say(find('#next p:first-child'), next === undefined ? '' : `${next}${commands.length > 0 ? ':' : '.'}`);
  const list = find('#next ol');
  if ([...list.querySelectorAll('code')].map((code) => code.textContent).join('\n') === commands.join('\n')) return;
  list.replaceChildren(...commands.map(commandItem));
}

/** The latest first. */
function showMarks(marks: readonly Mark[]): void {
  const list = find('#events');
  const known = marks.findIndex(({ id, atMs }) => id === lastMark?.id && atMs === lastMark.atMs);
  // Forgotten since, or told by a control node that was started again and counts from one.
  if (known < 0) list.replaceChildren();
  for (const { id, atMs, kind, text, meaning } of marks.slice(known + 1)) {
    const why = meaning === undefined ? [] : [element('span', {}, meaning)];
    const item = element('li', {}, element('b', {}, String(id)), ' ', element('time', {}, timeText(atMs)), ` ${text} `, ...why);
    item.style.setProperty('--mark', `var(--mark-${kind})`);
    list.prepend(item);
  }
  // Whoever listens does not hear what happened before, nor twice what the headline tells.
  const told = marks.slice(known + 1).filter(({ kind }) => kind !== 'loss' && kind !== 'return');
  if (lastMark !== undefined && told.length > 0) say(find('#told'), told.map(({ text }) => text).join('; '));
  lastMark = marks.at(-1);
  while (list.children.length > marks.length) list.lastElementChild?.remove();
}
