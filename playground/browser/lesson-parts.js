import { element } from '../../node-control/page/browser/element.js';
import { button } from './panels.js';

/** @import { Level } from '../levels/levels.js' */
/** @import { LadderStep } from '../ladder/ladder.js' */
/** @typedef {Awaited<ReturnType<typeof import('./loader.js').loadLessons>>} LessonModules */
/** By what it is known that one looks as before, see `renew`. @typedef {readonly [key: string, make: () => Element]} Part */

/**
 * Of a step of a story: what stands there, and its controls.
 *
 * @param {{ name: string, index: number, steps: readonly LadderStep[], at: number, isPlaying: boolean }} told
 * @param {LessonModules} modules
 * @param {{ tell: (name: string, index: number) => void, show: () => void }} acts
 * @returns {{ text: Part[], controls: Part[] }}
 */
export function storyParts({ name, index, steps, at, isPlaying }, { STORIES, storyName, proseInWords, commandInWords }, { tell, show }) {
  const step = steps[index];
  if (!step) return { text: [], controls: [] };
  const rest = isLook(step) ? 0 : step.choices.length - at;
  const shown =
    rest <= 0 ? (isLook(step) ? 'Nothing moves' : 'Shown') : isPlaying ? 'Pause' : `Show it: ${rest} move${rest === 1 ? '' : 's'}`;
  const nextStory = STORIES[STORIES.indexOf(name) + 1];
  const isLast = steps[index + 1] === undefined;
  const titles = STORIES.map((story) => /** @type {const} */ ([story, storyName(story)]));
  const where = () => [picker('story', titles, name, (chosen) => tell(chosen, 0)), `step ${index + 1} of ${steps.length}`];
  const key = `${name} ${index}`;
  return {
    text: [
      [`${key} where`, () => element('p', { class: 'row' }, ...where())],
      ...step.prose.map((paragraph, number) => /** @type {Part} */ ([`${key} ${number}`, () => element('p', {}, proseInWords(paragraph))])),
      [`${key} commands`, () => element('p', {}, ...step.commands.map((command) => element('code', {}, commandInWords(command))))],
    ],
    controls: [
      [`${key} before`, () => button('◀ before', () => tell(name, index - 1), { disabled: index === 0 })],
      [`${key} ${shown}`, () => button(shown, show, { disabled: rest <= 0 })],
      isLast && nextStory !== undefined
        ? [`${key} next`, () => button('next story ▶', () => tell(nextStory, 0))]
        : [`${key} next`, () => button('next ▶', () => tell(name, index + 1), { disabled: isLast })],
    ],
  };
}

/** Whether nothing happens in a step: it shows what there is. @param {LadderStep} step */
export function isLook({ choices, begunAt }) {
  return choices.slice(begunAt).every((choice) => choice.startsWith('look '));
}

/**
 * Of a level.
 *
 * @param {{ level: Level, off: readonly string[], isBroken: boolean, isHinted: boolean, solved: ReadonlySet<string> }} played
 * @param {LessonModules} modules
 * @param {{ begin: (id: string) => void, hint: () => void, solve: () => void }} acts
 * @returns {{ text: Part[], controls: Part[] }}
 */
export function levelParts({ level, off, isBroken, isHinted, solved }, { LEVELS, switchCalled }, { begin, hint, solve }) {
  const index = LEVELS.indexOf(level);
  const titles = LEVELS.map(({ id, title }, at) => /** @type {const} */ ([id, `${at + 1} ${title}${solved.has(id) ? ' ✓' : ''}`]));
  const broken =
    off.length === 0 ? 'All rules are on.' : `What is broken here: ${off.map((id) => `“${switchCalled(id).name}”`).join(', ')}.`;
  const said = isBroken ? level.lesson : isHinted ? level.hint : undefined;
  const next = LEVELS[index + 1];
  const key = level.id;
  return {
    text: [
      [`${key} ${broken}`, () => element('p', {}, `${broken} ${level.about}`)],
      ...(said === undefined ? [] : [/** @type {Part} */ ([`${key} ${said}`, () => element('p', { class: 'lesson' }, said)])]),
    ],
    controls: [
      [`${key} ${titles.join()}`, () => picker('level', titles, level.id, begin)],
      [`${key} again`, () => button('Begin it again', () => begin(level.id))],
      [`${key} hint`, () => button('A hint', hint)],
      ...(level.isLosable ? [/** @type {Part} */ ([`${key} solve`, () => button('Show a solution', solve)])] : []),
      ...(next ? [/** @type {Part} */ ([`${key} next`, () => button('next ▶', () => begin(next.id))])] : []),
      [`${key} place`, () => element('span', {}, `level ${index + 1} of ${LEVELS.length}`)],
    ],
  };
}

/**
 * Of a run of the simulation: what it was, and what it violated.
 *
 * @param {import('../../verification/pictures/view.js').StageView} view
 * @param {import('../stage/run.js').Run} run
 * @param {(run: import('../stage/run.js').Run) => void} open
 * @returns {{ text: Part[], controls: Part[] }}
 */
export function recordedParts({ recorded, beginning, key }, run, open) {
  if (!recorded || !run.simulated) return { text: [], controls: [] };
  const { simulated, seed } = run;
  const violated = [...new Set(recorded.violated)].join(', ');
  const said = (/** @type {string} */ text) => /** @type {Part} */ ([text, () => element('p', {}, text)]);
  const keys = recorded.keys.map((name) => /** @type {const} */ ([name, `what is about ${name}`]));
  return {
    text: [
      said(
        `Look at it step by step; nothing in it can be moved. In a terminal, the program that this page was served with tells the same by:`,
      ),
      [recorded.command, () => element('p', {}, element('code', {}, recorded.command))],
      said(`${beginning.join('; ')}.`.replace(/^s/, 'S')),
      ...(violated ? [said(`Violated, as the end shows: ${violated}.`)] : []),
    ],
    controls: [
      [`${keys.join()} ${key}`, () => picker('key', keys, key, (chosen) => open({ ...run, simulated: { ...simulated, key: chosen } }))],
      [`seed ${seed}`, () => button('the next seed ▶', () => open({ ...run, seed: seed + 1 }))],
    ],
  };
}

/**
 * @param {string} label
 * @param {readonly (readonly [value: string, text: string])[]} options
 * @param {string} present
 * @param {(value: string) => void} act
 */
function picker(label, options, present, act) {
  const made = options.map(([value, text]) => element('option', { value, selected: value === present }, text));
  const choice = /** @type {HTMLSelectElement} */ (element('select', { 'aria-label': label }, ...made));
  choice.addEventListener('change', () => act(choice.value));
  return choice;
}
