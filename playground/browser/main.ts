// First: the program needs them while it is loaded.
import './stand-ins.js';
import { element, find, narrow, onKey, say } from '../../node-control/page/browser/element.js';
import { HISTORY_FORMATS } from '../../verification/histories/history-files.js';
import { spaceTime } from '../../verification/pictures/space-time.js';
import { lineInWords } from '../../verification/transcripts/in-words.js';
import { SWITCHES } from '../levels/switches.js';
import { freshNumber, freshWord } from '../stage/adversary.js';
import { choiceInWords } from '../stage/choice.js';
import { runAt, SINGLE_CLUSTER } from '../stage/run.js';
import { writeAddress } from './address-bar.js';
import { showCode } from './code-view.js';
import { Lessons } from './lessons.js';
import { showControls, showDrawing, showMoves, showParcels } from './lists.js';
import { barsTable, suggestions } from './panels.js';
import { Player } from './player.js';
import { renew } from './renewal.js';
import { headline, setsText, showVerdict } from './said.js';
import { Session } from './session.js';

const session = new Session(show);
const player = new Player(session, attempt);
const guide = new Lessons(session, player, attempt);

/** Does what was clicked; what cannot be is said. @param what before the reason */
async function attempt(deed: Promise<unknown>, what = ''): Promise<void> {
  try {
    await deed;
  } catch (error) {
    say(find('#told'), `${what}${error instanceof Error ? error.message : String(error)}`);
  }
}

function choose(choice: string): void {
  void attempt(session.choose(choice));
}

function show({ view, run, at, address }: Session): void {
  showDrawing(view, choose);
  showParcels(view, choose, guide.noMessages);
  showControls(view, choose, { word: freshWord(view), number: freshNumber(view) });
  renew(find('#bars'), [[JSON.stringify([view.bars, view.verdict]), () => barsTable(view)]]);
  say(find('#sets'), setsText(view, run.off));
  showVerdict(view);
  find('#commands').replaceChildren(...suggestions(view).map((value) => element('option', { value })));
  const said = [view.beginning, ...view.moves.map(({ choice, lines }) => (lines.length > 0 ? lines : [choiceInWords(choice)]))].map(
    (lines) => lines.map(lineInWords),
  );
  const ahead = run.choices.slice(view.moves.length).map(choiceInWords);
  showMoves([...said.map((lines) => lines.join('\n')), ...ahead], at, (to) => void attempt(session.go(to)));
  showTime(run.choices.length, at);
  showRules(run.off);
  void attempt(showCode(session));
  say(find('#told'), guide.isBeforeStep || view.moves.length === 0 ? '' : (said.at(-1) ?? []).join(' · '));
  guide.follow(session);
  say(find('#now'), guide.headline ?? headline(view));
  writeAddress(`#${guide.address}${address}`);
}

function showTime(length: number, at: number): void {
  const slider = find('#time') as HTMLInputElement;
  slider.max = String(length);
  slider.value = String(at);
  say(find('#at'), `${at} of ${length}`);
  (find('#back') as HTMLButtonElement).disabled = at === 0;
}

function showRules(off: readonly string[]): void {
  const rules = find('#rules');
  if (rules.childElementCount > 0) {
    for (const box of rules.querySelectorAll('input')) box.checked = off.includes(box.value);
    return;
  }
  const boxes = SWITCHES.map(({ id, name }) => {
    const box = element('input', { type: 'checkbox', value: id, checked: off.includes(id) });
    box.addEventListener('change', () => void attempt(switchRules()));
    return element('label', {}, box, ` ${name}`);
  });
  rules.replaceChildren(
    element('fieldset', {}, element('legend', {}, 'Break a rule: this run is then played again from its beginning'), ...boxes),
  );
}

function switchRules(): Promise<void> {
  const off = [...find('#rules').querySelectorAll<HTMLInputElement>('input:checked')].map(({ value }) => value);
  // The moves of a run need not be possible with other rules.
  return session.open({ ...session.run, off }, session.at).catch(() => session.open({ ...session.run, off, choices: [] }));
}

/** As a download. */
function save(ending: string, text: string): void {
  const href = URL.createObjectURL(new Blob([text], { type: ending === 'svg' ? 'image/svg+xml' : 'text/plain' }));
  element('a', { href, download: `caspaxos-${session.view.key}.${ending}` }).click();
  setTimeout(() => URL.revokeObjectURL(href));
}

function onClick(id: string, act: () => unknown): void {
  find(id).addEventListener('click', () => void attempt((async () => act())()));
}

onClick('#back', () => session.go(session.at - 1));
onClick('#step', () => player.stepOn());
onClick('#play', () => player.toggle('play'));
onClick('#surprise', () => player.toggle('surprise'));
onClick('#wait', () => session.choose('wait'));
onClick('#anew', () => session.open({ ...session.run, seed: session.run.seed + 1, choices: [] }));
onClick('#single', () => guide.leave({ cluster: SINGLE_CLUSTER, off: session.run.off, seed: 1, choices: [] }));
onClick('#copy', async () => {
  await navigator.clipboard.writeText(location.href);
  say(find('#told'), 'Its address is in the clipboard.');
});
onClick('#save-svg', () => save('svg', spaceTime(session.view, location.href)));
for (const [ending, write] of Object.entries(HISTORY_FORMATS)) onClick(`#save-${ending}`, () => save(ending, write(session.operations)));
find('#time').addEventListener('input', (event) => {
  player.stop();
  void attempt(session.go(Number((event.target as HTMLInputElement).value)));
});
find('#operator').addEventListener('submit', (event) => {
  event.preventDefault();
  choose(`control ${(find('#command') as HTMLInputElement).value.trim()}`);
});
// What is behind the # of the address is the run, and stays.
find('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  find('#stage').focus();
});
onKey('arrowleft', () => find('#back').click());
onKey('arrowright', () => find('#step').click());
onKey(' ', () => find('#play').click());
narrow.addEventListener('change', () => show(session));
// From another server than the control node there is no cluster to go back to.
find('#home').hidden = !new URLSearchParams(location.search).has('cluster');

/** What is open stays open where it cannot be opened; at first that is a run in which nothing has happened. */
async function openAddress(): Promise<void> {
  const opened = guide.openAddress(location.hash.slice(1));
  if (!document.body.classList.contains('ready')) await opened.catch(() => guide.leave(runAt('').run));
  await attempt(opened, 'This address cannot be opened: ');
}

window.addEventListener('hashchange', () => void openAddress());
await openAddress();
document.body.classList.add('ready');
void player.run();
