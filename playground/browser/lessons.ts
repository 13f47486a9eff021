import { element, find, narrow } from '../../node-control/page/browser/element.js';
import { type LadderStep, type Opening, STORIES, type Story, storyOf } from '../ladder/ladder.js';
import { type Level, LEVELS } from '../levels/levels.js';
import { type Run, runAt } from '../stage/run.js';
import { keepFocus } from './focus.js';
import { isLook, levelParts, recordedParts, storyParts } from './lesson-parts.js';
import { loadReplay } from './loader.js';
import type { Player } from './player.js';
import { renew } from './renewal.js';
import type { Session } from './session.js';

/** What the visitor is led through. */
interface Lesson {
  readonly mode: 'free' | 'learn' | 'levels' | 'recorded';
  /** Of the story or the level. */
  readonly name: string;
  readonly step: number;
  readonly isHinted: boolean;
}

const TRANSCRIPTS = new URL('../../../docs/transcripts/', import.meta.url);
/** Where the levels that were solved are remembered, if the browser lets it. */
const SOLVED = 'caspaxos-playground-solved';
const NONE: Lesson = { mode: 'free', name: '', step: 0, isHinted: false };

const opening: Opening = async (cluster, off) => (await loadReplay(off))({ cluster, choices: [] });

/** What the visitor is led through: nothing, a story, or a level. */
export class Lessons {
  #lesson = NONE;
  #stories = new Map<string, Story>();
  readonly #session: Session;
  readonly #player: Player;
  readonly #attempt: (deed: Promise<unknown>) => Promise<void>;
  #solved = new Set<string>();

  constructor(session: Session, player: Player, attempt: (deed: Promise<unknown>) => Promise<void>) {
    this.#session = session;
    this.#player = player;
    this.#attempt = attempt;
    player.isLed = () => this.#lesson.mode !== 'free';
    player.onChange = () => this.follow(session);
    try {
      this.#solved = new Set((localStorage.getItem(SOLVED) ?? '').split(' '));
    } catch {
      // Nothing is remembered then.
    }
    const modes = {
      free: () => this.leave(runAt('').run),
      learn: () => this.#tell(STORIES[0] ?? '', 0),
      levels: () => this.#begin((LEVELS.find(({ id }) => !this.#solved.has(id)) ?? LEVELS[0])?.id ?? ''),
    };
    for (const [mode, begin] of Object.entries(modes)) find(`[data-mode=${mode}]`).addEventListener('click', () => void attempt(begin()));
  }

  /** The part of the address that says which lesson it is. */
  get address(): string {
    const { mode, name, step } = this.#lesson;
    if (mode === 'levels') return `level=${name}&`;
    return mode === 'learn' ? `story=${name}&step=${step + 1}&` : '';
  }

  /** What stands above all, if a lesson has something to say there. */
  get headline(): string | undefined {
    const { recorded, verdict } = this.#session.view;
    if (recorded?.violated.length === 0) return 'A run of the simulation, step by step: no violation.';
    if (recorded) return `A run of the simulation that must not be: ${verdict.isSound ? 'go on until ' : ''}the judge says why.`;
    const why = verdict.isSound ? '' : '. This history cannot be: the judge says why.';
    if (this.#lesson.mode === 'levels') return why && this.#level?.isLosable !== false ? `Solved${why}` : this.#level?.task;
    return this.#lesson.mode === 'learn' ? `${this.#stories.get(this.#lesson.name)?.title ?? ''}${why}` : undefined;
  }

  /** What the list of messages says while it is empty. */
  get noMessages(): string {
    if (this.#lesson.mode === 'recorded') return 'None.';
    if (!this.#told) return 'None. Let a client ask for something.';
    return this.#session.at < this.#told.choices.length ? 'None yet. The story asks by itself: “Show it”.' : 'None.';
  }

  /** Whether a step of a story was not begun: what the last move did is not of this one. */
  get isBeforeStep(): boolean {
    const step = this.#told;
    return step !== undefined && (isLook(step) || this.#session.at === step.begunAt);
  }

  /** Rejects for one that cannot be opened; all is as before then. @param address behind the # */
  async openAddress(address: string): Promise<void> {
    const parts = new Map(address.split('&').map((part) => part.split('=', 2) as [string, string]));
    const { run, at } = runAt(address);
    if (run.simulated) return this.#open({ ...NONE, mode: 'recorded' }, run, at);
    const [level, story] = [parts.get('level'), parts.get('story')];
    if (level !== undefined && !LEVELS.some(({ id }) => id === level)) throw new TypeError(`there is no level ${level}`);
    if (story === undefined) {
      if (level !== undefined && !parts.has('moves')) return this.#begin(level);
      return this.#open(level === undefined ? NONE : { ...NONE, mode: 'levels', name: level }, run, at);
    }
    const { steps } = await this.#load(story);
    const number = parts.get('step') ?? '1';
    if (!/^[1-9]\d*$/.test(number)) throw new TypeError(`not a step of a story: ${number}`);
    const step = Math.min(Number(number), steps.length) - 1;
    return parts.has('moves') ? this.#open({ ...NONE, mode: 'learn', name: story, step }, run, at) : this.#tell(story, step);
  }

  /** After each move. */
  follow({ view, run, at }: Session): void {
    const { mode, name, step, isHinted } = this.#lesson;
    arrange(mode);
    const attempt = (deed: Promise<void>): undefined => void this.#attempt(deed);
    const showStep = (): void => {
      this.#player.toggle('play');
      if (narrow.matches && this.#player.isPlaying) find('#drawing').scrollIntoView();
    };
    const level = this.#level;
    const isBroken = !view.verdict.isSound;
    if (level?.isLosable && isBroken) this.#remember(level.id);
    const { text, controls } = view.recorded
      ? recordedParts(view, run, (other) => attempt(this.#session.open(other)))
      : level
        ? levelParts(
            { level, off: run.off, isBroken, isHinted, solved: this.#solved },
            {
              begin: (id) => attempt(this.#begin(id)),
              hint: () => {
                this.#lesson = { ...this.#lesson, isHinted: true };
                this.follow(this.#session);
              },
              solve: () => attempt(this.#solve()),
            },
          )
        : storyParts(
            { name, index: step, steps: this.#stories.get(name)?.steps ?? [], at, isPlaying: this.#player.isPlaying },
            { tell: (story, index) => attempt(this.#tell(story, index)), show: showStep },
          );
    const place = find('#lesson');
    keepFocus(place, () => {
      renew(place, [...text, ...(controls.length > 0 ? [['controls', () => element('p', { class: 'row' })] as const] : [])]);
      if (place.lastElementChild) renew(place.lastElementChild, controls);
    });
  }

  /** Opens a run that is no lesson. */
  leave(run: Run): Promise<void> {
    return this.#open(NONE, run);
  }

  get #level(): Level | undefined {
    return this.#lesson.mode === 'levels' ? LEVELS.find(({ id }) => id === this.#lesson.name) : undefined;
  }

  get #told(): LadderStep | undefined {
    return this.#lesson.mode === 'learn' ? this.#stories.get(this.#lesson.name)?.steps[this.#lesson.step] : undefined;
  }

  /** The lesson and its run change at one moment: a move that is still being made is shown in the lesson before. */
  #open(lesson: Lesson, run: Run, at?: number): Promise<void> {
    this.#player.stop();
    return this.#session.open(run, at, () => (this.#lesson = lesson));
  }

  #begin(id: string): Promise<void> {
    const level = LEVELS.find((one) => one.id === id);
    if (!level) return Promise.reject(new TypeError(`there is no level ${id}`));
    const { cluster, off, opening } = level;
    return this.#open({ ...NONE, mode: 'levels', name: id }, { cluster, off, seed: 1, choices: opening });
  }

  async #load(name: string): Promise<Story> {
    const known = this.#stories.get(name);
    if (known) return known;
    if (!STORIES.includes(name)) throw new TypeError(`there is no story ${name}`);
    const response = await fetch(new URL(`${name}.txt`, TRANSCRIPTS));
    if (!response.ok) throw new Error(`the transcript ${name} is not there`);
    const story = await storyOf(await response.text(), opening);
    this.#stories.set(name, story);
    return story;
  }

  async #tell(name: string, step: number): Promise<void> {
    const told = (await this.#load(name)).steps[step];
    if (!told) throw new TypeError(`the story ${name} has no step ${step + 1}`);
    const { cluster, off, choices, begunAt } = told;
    const at = isLook(told) ? choices.length : begunAt;
    await this.#open({ ...NONE, mode: 'learn', name, step }, { cluster, off, seed: 1, choices }, at);
    // On a phone the visitor may have been at the stage.
    if (narrow.matches && find('#narration').getBoundingClientRect().top < 0) find('#narration').scrollIntoView();
  }

  /** It is played, and can be stepped through. */
  async #solve(): Promise<void> {
    const level = this.#level;
    if (!level) return;
    const { cluster, off, opening, solution } = level;
    await this.#open(this.#lesson, { cluster, off, seed: 1, choices: [...opening, ...solution] }, opening.length);
    this.#player.toggle('play');
  }

  #remember(id: string): void {
    if (this.#solved.has(id)) return;
    this.#solved.add(id);
    try {
      localStorage.setItem(SOLVED, [...this.#solved].join(' '));
    } catch {
      // Until the page is closed, then.
    }
  }
}

/** A story, or what happened in a simulation, has the stage beside it and below it what happened; what a visitor may ask comes after that. */
function arrange(mode: Lesson['mode']): void {
  for (const control of document.querySelectorAll('[data-mode]'))
    control.setAttribute('aria-pressed', String(control.getAttribute('data-mode') === mode));
  if (document.body.dataset['lesson'] === mode) return;
  document.body.dataset['lesson'] = mode;
  const [stage, asking, log] = [find('#stage'), find('#asking'), find('#log')];
  const isTold = mode === 'learn' || mode === 'recorded';
  document.body.classList.toggle('told', isTold);
  if (isTold) stage.after(log, asking);
  else stage.before(asking);
  if (!isTold) find('#run').before(log);
}
