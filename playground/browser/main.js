import { element, find, narrow, onKey, say } from '../../node-control/page/browser/element.js';
import { drawing } from '../../node-control/page/browser/on-demand/drawing.js';
import { showCode } from './code-view.js';
import { Lessons } from './lessons.js';
import { loadLessons, loadStage } from './loader.js';
import { barsTable, button, clientRows, nodeRows, parcelItem, quickCommands, suggestions } from './panels.js';
import { renew } from './renewal.js';
import { Session } from './session.js';

/** What stands there before anything was done. */
const INVITATION = 'Let a client ask for something, then click its messages: nothing arrives unless you say so.';
/** At most. */
const ADDRESS_EVERY_MS = 60;
/** A move each so many milliseconds at the slowest speed. */
const SLOWEST_MS = 1_600;

const [modules, lessons] = await Promise.all([loadStage([]), loadLessons()]);
const session = new Session(modules, show);
const guide = new Lessons(lessons, session, attempt);

/** Does what was clicked; what cannot be is said. @param {Promise<unknown>} deed */
async function attempt(deed) {
  try {
    await deed;
  } catch (error) {
    say(find('#told'), error instanceof Error ? error.message : String(error));
  }
}

/** @param {string} choice */
function choose(choice) {
  return attempt(session.choose(choice));
}

/** @param {Session} shown */
function show({ view, run, at, address }) {
  showStage(view);
  const list = find('#parcels');
  const focus = focusIn(list);
  renew(list, parcelItems(view.parcels));
  refocus(list, focus);
  const fresh = { word: session.modules.freshWord(view), number: session.modules.freshNumber(view) };
  for (const [place, made] of /** @type {const} */ ([
    ['#clients', clientRows(view, (choice) => void choose(choice), fresh)],
    ['#nodes', nodeRows(view, (choice) => void choose(choice))],
  ])) {
    const held = focusIn(find(place));
    find(place).replaceChildren(made);
    refocus(find(place), held);
  }
  renew(find('#bars'), [[JSON.stringify([view.bars, view.verdict]), () => barsTable(view)]]);
  say(find('#sets'), setsText(view));
  showVerdict(view);
  const quick = find('#suggestions');
  const heldQuick = focusIn(quick);
  quick.replaceChildren(...quickCommands(view).map((command) => button(command, () => void choose(`control ${command}`))));
  refocus(quick, heldQuick);
  find('#commands').replaceChildren(...suggestions(view).map((value) => element('option', { value })));
  showMoves(view, run.choices);
  showTime(run.choices.length, at);
  showRules(run.off);
  void attempt(showCode(session, lessons));
  const lines = view.moves.at(-1)?.lines ?? view.beginning;
  say(find('#told'), lines.join(' · '));
  guide.follow(session);
  say(find('#now'), guide.headline ?? headline(view));
  writeAddress(`#${guide.address}${address}`);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let addressTimer;
let addressWrittenAtMs = -Infinity;

/** At once, but not more often than browsers allow: they take no more after two hundred in ten seconds. @param {string} address */
function writeAddress(address) {
  clearTimeout(addressTimer);
  const write = () => {
    addressWrittenAtMs = performance.now();
    history.replaceState(null, '', address);
  };
  const dueInMs = addressWrittenAtMs + ADDRESS_EVERY_MS - performance.now();
  if (dueInMs <= 0) write();
  else addressTimer = setTimeout(write, dueInMs);
}

/** What looks as before stays, so that only what is new comes in. @param {import('../stage/view.js').StageView} view */
function showStage(view) {
  const made = drawing(view, ({ number }) => void choose(`d${number}`));
  const old = find('#drawing').firstElementChild;
  if (old?.getAttribute('viewBox') !== made.getAttribute('viewBox')) {
    find('#drawing').replaceChildren(made);
    return;
  }
  old.setAttribute('aria-label', made.getAttribute('aria-label') ?? '');
  renew(
    old,
    [...made.children].map((child) => [child.outerHTML, () => child]),
  );
}

/** Whom the proposers ask in each phase: once, where all ask the same. @param {import('../stage/view.js').StageView} view */
function setsText({ proposers }) {
  const set = (/** @type {import('../stage/view.js').ProposerSight['prepare']} */ { nodes, quorum }) =>
    nodes.length === 0 ? 'nobody' : `${quorum} of ${nodes.join(', ')}`;
  const texts = proposers.map(({ prepare, accept }) => `prepare ${set(prepare)}; accept ${set(accept)}`);
  if (new Set(texts).size === 1) return `A quorum, for each proposer: ${texts[0]}.`;
  return `A quorum: ${texts.map((text, index) => `for p${index + 1}, ${text}`).join('. ')}.`;
}

/** @param {readonly import('../stage/view.js').ParcelSight[]} parcels @returns {[string, () => Element][]} */
function parcelItems(parcels) {
  if (parcels.length === 0) return [['none', () => element('li', { class: 'none' }, 'None. Let a client ask for something, above.')]];
  return parcels.map((parcel) => [JSON.stringify(parcel), () => parcelItem(parcel, (choice) => void choose(choice))]);
}

/** @param {import('../stage/view.js').StageView} view */
function headline({ verdict, moves, parcels, isBusy }) {
  if (!verdict.isSound) return 'This history cannot be: the judge says why.';
  if (moves.length === 0) return INVITATION;
  if (parcels.length > 0)
    return `${parcels.length === 1 ? 'One message waits' : `${parcels.length} messages wait`} for you: deliver, lose or leave ${parcels.length === 1 ? 'it' : 'them'}.`;
  return isBusy
    ? 'Somebody waits for an answer that does not come: let 300 ms pass.'
    : 'Nothing is under way. Let a client ask for something.';
}

/** @param {import('../stage/view.js').StageView} view */
function showVerdict({ verdict, bars }) {
  const isJudged = bars.length > 0;
  find('#verdict').className = verdict.isSound ? 'sound' : 'broken';
  say(
    find('#verdict'),
    verdict.isSound
      ? isJudged
        ? '● linearizable so far'
        : ''
      : `✕ not ${verdict.rule === 'linearizability' ? 'linearizable' : `kept: ${verdict.rule}`}`,
  );
  say(find('#why'), [verdict.message, verdict.misdeed].filter((text) => text !== undefined).join('. '));
}

/** @param {import('../stage/view.js').StageView} view @param {readonly string[]} choices */
function showMoves({ moves, beginning }, choices) {
  const list = find('#moves');
  const lines = [beginning, ...moves.map(({ choice, lines }) => (lines.length === 0 ? [choice] : lines))];
  const texts = [...lines.map((one) => one.join('\n')), ...choices.slice(moves.length)];
  const held = focusIn(list);
  renew(
    list,
    texts.map((text, number) => [
      `${number} ${Math.sign(number - moves.length)} ${text}`,
      () =>
        element(
          'li',
          { class: number > moves.length ? 'ahead' : '' },
          button(String(number), () => void attempt(session.go(number)), {
            'aria-label': `Go to move ${number}`,
            ...(number === moves.length && { 'aria-current': 'step' }),
          }),
          element('span', {}, text),
        ),
    ]),
  );
  refocus(list, held);
  const current = list.querySelector('[aria-current]');
  if (current?.parentElement) list.scrollTop = current.parentElement.offsetTop - list.offsetTop - list.clientHeight / 2;
}

/** @param {number} length @param {number} at */
function showTime(length, at) {
  const slider = /** @type {HTMLInputElement} */ (find('#time'));
  slider.max = String(length);
  slider.value = String(at);
  say(find('#at'), `${at} of ${length}`);
  /** @type {HTMLButtonElement} */ (find('#back')).disabled = at === 0;
}

/** @param {readonly string[]} off */
function showRules(off) {
  const rules = find('#rules');
  if (rules.childElementCount > 0) {
    for (const box of rules.querySelectorAll('input')) box.checked = off.includes(box.value);
    return;
  }
  const boxes = lessons.SWITCHES.map(({ id, name }) => {
    const box = /** @type {HTMLInputElement} */ (element('input', { type: 'checkbox', value: id, checked: off.includes(id) }));
    box.addEventListener('change', () => void attempt(switchRules()));
    return element('label', {}, box, ` ${name}`);
  });
  rules.replaceChildren(
    element('fieldset', {}, element('legend', {}, 'Break a rule: this run is then played again from its beginning'), ...boxes),
  );
}

function switchRules() {
  const off = [...find('#rules').querySelectorAll('input:checked')].map((box) => /** @type {HTMLInputElement} */ (box).value);
  // The moves of a run need not be possible with other rules.
  return session.open({ ...session.run, off }, session.at).catch(() => session.open({ ...session.run, off, choices: [] }));
}

/** Which control of a place has the focus, by what it is called. @param {HTMLElement} place */
function focusIn(place) {
  const { activeElement } = document;
  if (!activeElement || !place.contains(activeElement) || activeElement === place) return undefined;
  const controls = [...place.querySelectorAll('button')];
  return {
    label: activeElement.getAttribute('aria-label') ?? '',
    index: controls.indexOf(/** @type {HTMLButtonElement} */ (activeElement)),
  };
}

/** What was clicked may be gone: the next one there has the focus then. @param {HTMLElement} place @param {{ label: string, index: number } | undefined} held */
function refocus(place, held) {
  if (!held) return;
  const controls = [...place.querySelectorAll('button')];
  const same = controls.find((one) => one.getAttribute('aria-label') === held.label && !one.disabled);
  (same ?? controls.slice(held.index).find((one) => !one.disabled) ?? controls.find((one) => !one.disabled) ?? place).focus();
}

/** The next move: the one that was made here before, or what happens where nobody interferes. */
function stepOn() {
  if (session.at < session.run.choices.length) return session.go(session.at + 1);
  if (playing === 'play' && guide.isLed) return undefined;
  const move = session.modules.friendlyMove(session.view);
  return move === undefined ? undefined : session.choose(move);
}

/** @type {'play' | 'surprise' | undefined} */
let playing;

/** @param {'play' | 'surprise' | undefined} what */
function setPlaying(what) {
  playing = what;
  for (const id of /** @type {const} */ (['play', 'surprise'])) find(`#${id}`).setAttribute('aria-pressed', String(what === id));
  say(find('#play'), what === 'play' ? 'Pause' : 'Play');
}

async function playOn() {
  for (;;) {
    const speed = Number(/** @type {HTMLInputElement} */ (find('#speed')).value);
    await new Promise((resolve) => setTimeout(resolve, SLOWEST_MS / 2 ** (speed - 1)));
    if (playing === undefined) continue;
    const deed = playing === 'play' ? stepOn() : session.choose(session.modules.adversaryMove(session.view, session.run.seed));
    if (deed === undefined || !session.view.verdict.isSound) setPlaying(undefined);
    else await attempt(deed);
  }
}

/** As a download. @param {string} ending @param {string} text */
function save(ending, text) {
  const href = URL.createObjectURL(new Blob([text], { type: ending === 'svg' ? 'image/svg+xml' : 'text/plain' }));
  element('a', { href, download: `caspaxos-${session.view.key}.${ending}` }).click();
  setTimeout(() => URL.revokeObjectURL(href));
}

/** @param {string} id @param {() => unknown} act */
function onClick(id, act) {
  find(id).addEventListener('click', () => void attempt((async () => act())()));
}

onClick('#back', () => session.go(session.at - 1));
onClick('#step', stepOn);
onClick('#play', () => setPlaying(playing === 'play' ? undefined : 'play'));
onClick('#surprise', () => setPlaying(playing === 'surprise' ? undefined : 'surprise'));
onClick('#wait', () => session.choose('wait'));
onClick('#anew', () => session.open({ ...session.run, seed: session.run.seed + 1, choices: [] }));
onClick('#single', () => guide.leave({ cluster: modules.SINGLE_CLUSTER, off: session.run.off, seed: 1, choices: [] }));
onClick('#copy', async () => {
  await navigator.clipboard.writeText(location.href);
  say(find('#told'), 'Its address is in the clipboard.');
});
onClick('#save-svg', () => save('svg', lessons.spaceTime(session.view, location.href)));
for (const [ending, write] of Object.entries(lessons.HISTORY_FORMATS))
  onClick(`#save-${ending}`, () => save(ending, write(session.operations)));
find('#time').addEventListener('input', (event) => {
  setPlaying(undefined);
  void attempt(session.go(Number(/** @type {HTMLInputElement} */ (event.target).value)));
});
find('#operator').addEventListener('submit', (event) => {
  event.preventDefault();
  void choose(`control ${/** @type {HTMLInputElement} */ (find('#command')).value.trim()}`);
});
onKey('arrowleft', () => find('#back').click());
onKey('arrowright', () => find('#step').click());
onKey(' ', () => find('#play').click());
narrow.addEventListener('change', () => show(session));
window.addEventListener('hashchange', () => void attempt(guide.openAddress(location.hash.slice(1))));
// From another server than the control node there is no cluster to go back to.
find('#home').hidden = !new URLSearchParams(location.search).has('cluster');

await guide.openAddress(location.hash.slice(1)).catch(async (/** @type {unknown} */ error) => {
  await session.open(modules.runAt('').run);
  say(find('#told'), `This address cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
});
document.body.classList.add('ready');
void playOn();
