import { type Child, element } from '../../node-control/page/browser/element.js';
import type { StageView } from '../../verification/pictures/view.js';
import { commandInWords, proseInWords, storyName } from '../../verification/transcripts/in-words.js';
import { type LadderStep, STORIES } from '../ladder/ladder.js';
import { type Level, LEVELS } from '../levels/levels.js';
import { switchCalled } from '../levels/switches.js';
import type { Run } from '../stage/run.js';
import { button } from './panels.js';
import type { KeyedChild } from './renewal.js';

interface LessonParts {
  readonly text: KeyedChild[];
  readonly controls: KeyedChild[];
}

/** A step of a story, and how many moves of the run were made. */
interface ToldStep {
  readonly name: string;
  readonly index: number;
  readonly steps: readonly LadderStep[];
  readonly at: number;
  readonly isPlaying: boolean;
}

interface PlayedLevel {
  readonly level: Level;
  readonly off: readonly string[];
  readonly isBroken: boolean;
  readonly isHinted: boolean;
  readonly solved: ReadonlySet<string>;
}

/** Of a step of a story: what stands there, and its controls. */
export function storyParts(
  { name, index, steps, at, isPlaying }: ToldStep,
  { tell, show }: { tell: (name: string, index: number) => void; show: () => void },
): LessonParts {
  const step = steps[index];
  if (!step) return { text: [], controls: [] };
  const rest = isLook(step) ? 0 : step.choices.length - at;
  const shown =
    rest <= 0 ? (isLook(step) ? 'Nothing moves' : 'Shown') : isPlaying ? 'Pause' : `Show it: ${rest} move${rest === 1 ? '' : 's'}`;
  const nextStory = STORIES[STORIES.indexOf(name) + 1];
  const isLast = steps[index + 1] === undefined;
  const titles = STORIES.map((story) => [story, storyName(story)] as const);
  const where = (): Child[] => [picker('story', titles, name, (chosen) => tell(chosen, 0)), `step ${index + 1} of ${steps.length}`];
  const key = `${name} ${index}`;
  return {
    text: [
      [`${key} where`, () => element('p', { class: 'row' }, ...where())],
      ...step.prose.map((paragraph, number) => [`${key} ${number}`, () => element('p', {}, proseInWords(paragraph))] as KeyedChild),
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

/** Whether nothing happens in a step: it shows what there is. */
export function isLook({ choices, begunAt }: LadderStep): boolean {
  return choices.slice(begunAt).every((choice) => choice.startsWith('look '));
}

/** Of a level. */
export function levelParts(
  { level, off, isBroken, isHinted, solved }: PlayedLevel,
  { begin, hint, solve }: { begin: (id: string) => void; hint: () => void; solve: () => void },
): LessonParts {
  const index = LEVELS.indexOf(level);
  const titles = LEVELS.map(({ id, title }, at) => [id, `${at + 1} ${title}${solved.has(id) ? ' ✓' : ''}`] as const);
  const broken =
    off.length === 0 ? 'All rules are on.' : `What is broken here: ${off.map((id) => `“${switchCalled(id).name}”`).join(', ')}.`;
  const said = isBroken ? level.lesson : isHinted ? level.hint : undefined;
  const next = LEVELS[index + 1];
  const key = level.id;
  return {
    text: [
      [`${key} ${broken}`, () => element('p', {}, `${broken} ${level.about}`)],
      ...(said === undefined ? [] : [[`${key} ${said}`, () => element('p', { class: 'lesson' }, said)] as KeyedChild]),
    ],
    controls: [
      [`${key} ${titles.join()}`, () => picker('level', titles, level.id, begin)],
      [`${key} again`, () => button('Begin it again', () => begin(level.id))],
      [`${key} hint`, () => button('A hint', hint)],
      ...(level.isLosable ? [[`${key} solve`, () => button('Show a solution', solve)] as KeyedChild] : []),
      ...(next ? [[`${key} next`, () => button('next ▶', () => begin(next.id))] as KeyedChild] : []),
      [`${key} place`, () => element('span', {}, `level ${index + 1} of ${LEVELS.length}`)],
    ],
  };
}

/** Of a run of the simulation: what it was, and what it violated. */
export function recordedParts({ recorded, beginning, key }: StageView, run: Run, open: (run: Run) => void): LessonParts {
  if (!recorded || !run.simulated) return { text: [], controls: [] };
  const { simulated, seed } = run;
  const violated = [...new Set(recorded.violated)].join(', ');
  const said = (text: string): KeyedChild => [text, () => element('p', {}, text)] as KeyedChild;
  const keys = recorded.keys.map((name) => [name, `what is about ${name}`] as const);
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

function picker(
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  present: string,
  act: (value: string) => void,
): HTMLSelectElement {
  const made = options.map(([value, text]) => element('option', { value, selected: value === present }, text));
  const choice = element('select', { 'aria-label': label }, ...made);
  choice.addEventListener('change', () => act(choice.value));
  return choice;
}
