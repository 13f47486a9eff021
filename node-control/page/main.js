import { Chart } from './chart.js';
import { element, find } from './element.js';
import { graph } from './graph.js';
import { Inspector } from './inspector.js';
import { proposersTable } from './proposers.js';
import { setsTable } from './sets.js';

/** @import { Snapshot, Mark, Narration } from '../service/snapshot.js' */

const chart = new Chart(find('#chart'));
const inspector = new Inspector();
let lastAtMs = 0;
let lastMark = 0;

const events = new EventSource('events');
events.addEventListener('open', () => {
  chart.clear();
  showLink('live', 'live');
});
// The browser tries again by itself.
events.addEventListener('error', () => {
  const since = lastAtMs === 0 ? '' : `; this is from ${timeText(lastAtMs)}`;
  showLink('lost', `the control node does not answer${since}`);
});
events.addEventListener('message', ({ data }) => {
  /** @type {unknown} */
  const snapshot = JSON.parse(String(data));
  show(/** @type {Snapshot} */ (snapshot));
});

/** @param {Snapshot} snapshot */
function show(snapshot) {
  lastAtMs = snapshot.atMs;
  narrate(snapshot.narration);
  find('#graph').replaceChildren(graph(snapshot));
  find('#sets').replaceChildren(setsTable(snapshot));
  find('#proposers').replaceChildren(proposersTable(snapshot));
  find('#client-state').textContent = snapshot.isClientRunning ? '' : 'no client runs: ./run-client.sh';
  showMarks(snapshot.marks);
  chart.add(snapshot.atMs, snapshot.funnel, snapshot.marks);
  void inspector.look();
}

/** Only what changed, so that a screen reader does not hear it every second. @param {Narration} narration */
function narrate({ now, next, commands }) {
  change(find('#now'), now);
  find('#next').hidden = next === undefined;
  change(find('#next p'), next === undefined ? '' : `${next}${commands.length > 0 ? ':' : '.'}`);
  const list = find('#next ol');
  const typed = commands.map((command) => `./run-control.sh ${command}`);
  if ([...list.children].map((item) => item.textContent).join('\n') === typed.join('\n')) return;
  list.replaceChildren(...typed.map((command) => element('li', {}, element('code', {}, command))));
}

/** The latest first. @param {readonly Mark[]} marks */
function showMarks(marks) {
  const list = find('#events');
  for (const { id, atMs, kind, text, meaning } of marks) {
    if (id <= lastMark) continue;
    lastMark = id;
    const why = meaning === undefined ? [] : [element('span', {}, meaning)];
    list.prepend(element('li', { class: kind }, element('b', {}, String(id)), element('time', {}, timeText(atMs)), ` ${text} `, ...why));
  }
  // A control node that was started again counts from one.
  if ((marks.at(-1)?.id ?? 0) < lastMark) {
    lastMark = 0;
    list.replaceChildren();
    if (marks.length > 0) showMarks(marks);
  }
  while (list.children.length > marks.length) list.lastElementChild?.remove();
}

/** @param {HTMLElement} place @param {string} text */
function change(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** @param {string} state @param {string} text */
function showLink(state, text) {
  const link = find('#link');
  link.className = state;
  change(link, text);
}

/** @param {number} atMs */
function timeText(atMs) {
  return new Date(atMs).toLocaleTimeString('en-GB');
}
