import { element, find, narrow } from '../../node-control/page/browser/element.js';
import { keepFocus } from './focus.js';
import { isLook, levelParts, recordedParts, storyParts } from './lesson-parts.js';
import { loadStage } from './loader.js';
import { renew } from './renewal.js';

/** @import { Player } from './player.js' */
/** @import { Session } from './session.js' */
/** @import { Story } from '../ladder/ladder.js' */
/** @import { LessonModules } from './lesson-parts.js' */
/** What the visitor is led through. The name is of the story or the level. @typedef {{ mode: 'free' | 'learn' | 'levels' | 'recorded', name: string, step: number, isHinted: boolean }} Lesson */

const TRANSCRIPTS = new URL('../../docs/transcripts/', import.meta.url);
/** Where the levels that were solved are remembered, if the browser lets it. */
const SOLVED = 'caspaxos-playground-solved';
/** @type {Lesson} */
const NONE = { mode: 'free', name: '', step: 0, isHinted: false };

/** @type {import('../ladder/ladder.js').Opening} */
const opening = async (cluster, off) => (await loadStage(off)).replay({ cluster, choices: [] });

/** What the visitor is led through: nothing, a story, or a level. */
export class Lessons {
  #lesson = NONE;
  /** @type {Map<string, Story>} */
  #stories = new Map();
  #modules;
  #session;
  #player;
  #attempt;
  /** @type {Set<string>} */
  #solved = new Set();

  /** @param {LessonModules} modules @param {Session} session @param {Player} player @param {(deed: Promise<unknown>) => Promise<void>} attempt */
  constructor(modules, session, player, attempt) {
    this.#modules = modules;
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
      free: () => this.leave(session.modules.runAt('').run),
      learn: () => this.#tell(modules.STORIES[0] ?? '', 0),
      levels: () => this.#begin((modules.LEVELS.find(({ id }) => !this.#solved.has(id)) ?? modules.LEVELS[0])?.id ?? ''),
    };
    for (const [mode, begin] of Object.entries(modes)) find(`[data-mode=${mode}]`).addEventListener('click', () => void attempt(begin()));
  }

  /** The part of the address that says which lesson it is. */
  get address() {
    const { mode, name, step } = this.#lesson;
    if (mode === 'levels') return `level=${name}&`;
    return mode === 'learn' ? `story=${name}&step=${step + 1}&` : '';
  }

  /** What stands above all, if a lesson has something to say there. */
  get headline() {
    const { recorded, verdict } = this.#session.view;
    if (recorded?.violated.length === 0) return 'A run of the simulation, step by step: no violation.';
    if (recorded) return `A run of the simulation that must not be: ${verdict.isSound ? 'go on until ' : ''}the judge says why.`;
    const why = verdict.isSound ? '' : '. This history cannot be: the judge says why.';
    if (this.#lesson.mode === 'levels') return why && this.#level?.isLosable !== false ? `Solved${why}` : this.#level?.task;
    return this.#lesson.mode === 'learn' ? `${this.#stories.get(this.#lesson.name)?.title ?? ''}${why}` : undefined;
  }

  /** What the list of messages says while it is empty. */
  get noMessages() {
    if (this.#lesson.mode === 'recorded') return 'None.';
    if (!this.#told) return 'None. Let a client ask for something.';
    return this.#session.at < this.#told.choices.length ? 'None yet. The story asks by itself: “Show it”.' : 'None.';
  }

  /** Whether a step of a story was not begun: what the last move did is not of this one. */
  get isBeforeStep() {
    const step = this.#told;
    return step !== undefined && (isLook(step) || this.#session.at === step.begunAt);
  }

  /** Rejects for one that cannot be opened; all is as before then. @param {string} address behind the # */
  async openAddress(address) {
    const parts = new Map(address.split('&').map((part) => /** @type {[string, string]} */ (part.split('=', 2))));
    const { run, at } = this.#session.modules.runAt(address);
    if (run.simulated) return this.#open({ ...NONE, mode: 'recorded' }, run, at);
    const [level, story] = [parts.get('level'), parts.get('story')];
    if (level !== undefined && !this.#modules.LEVELS.some(({ id }) => id === level)) throw new TypeError(`there is no level ${level}`);
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

  /** After each move. @param {Session} session */
  follow({ view, run, at }) {
    const { mode, name, step, isHinted } = this.#lesson;
    arrange(mode);
    const attempt = (/** @type {Promise<void>} */ deed) => void this.#attempt(deed);
    const showStep = () => {
      this.#player.toggle('play');
      if (narrow.matches && this.#player.isPlaying) find('#drawing').scrollIntoView();
    };
    const level = this.#level;
    const isBroken = !view.verdict.isSound;
    if (level?.isLosable && isBroken) this.#remember(level.id);
    const { text, controls } = view.recorded
      ? recordedParts(view, run, (other) => attempt(this.#session.open(other)))
      : level
        ? levelParts({ level, off: run.off, isBroken, isHinted, solved: this.#solved }, this.#modules, {
            begin: (id) => attempt(this.#begin(id)),
            hint: () => {
              this.#lesson = { ...this.#lesson, isHinted: true };
              this.follow(this.#session);
            },
            solve: () => attempt(this.#solve()),
          })
        : storyParts(
            { name, index: step, steps: this.#stories.get(name)?.steps ?? [], at, isPlaying: this.#player.isPlaying },
            this.#modules,
            { tell: (story, index) => attempt(this.#tell(story, index)), show: showStep },
          );
    const place = find('#lesson');
    keepFocus(place, () => {
      renew(place, [...text, ...(controls.length > 0 ? [/** @type {const} */ (['controls', () => element('p', { class: 'row' })])] : [])]);
      if (place.lastElementChild) renew(place.lastElementChild, controls);
    });
  }

  /** Opens a run that is no lesson. @param {import('../stage/run.js').Run} run */
  leave(run) {
    return this.#open(NONE, run);
  }

  get #level() {
    return this.#lesson.mode === 'levels' ? this.#modules.LEVELS.find(({ id }) => id === this.#lesson.name) : undefined;
  }

  get #told() {
    return this.#lesson.mode === 'learn' ? this.#stories.get(this.#lesson.name)?.steps[this.#lesson.step] : undefined;
  }

  /**
   * The lesson and its run change at one moment: a move that is still being made is shown in the lesson before.
   *
   * @param {Lesson} lesson
   * @param {import('../stage/run.js').Run} run
   * @param {number} [at]
   */
  #open(lesson, run, at) {
    this.#player.stop();
    return this.#session.open(run, at, () => (this.#lesson = lesson));
  }

  /** @param {string} id */
  #begin(id) {
    const level = this.#modules.LEVELS.find((one) => one.id === id);
    if (!level) return Promise.reject(new TypeError(`there is no level ${id}`));
    const { cluster, off, opening } = level;
    return this.#open({ ...NONE, mode: 'levels', name: id }, { cluster, off, seed: 1, choices: opening });
  }

  /** @param {string} name @returns {Promise<Story>} */
  async #load(name) {
    const known = this.#stories.get(name);
    if (known) return known;
    if (!this.#modules.STORIES.includes(name)) throw new TypeError(`there is no story ${name}`);
    const response = await fetch(new URL(`${name}.txt`, TRANSCRIPTS));
    if (!response.ok) throw new Error(`the transcript ${name} is not there`);
    const story = await this.#modules.storyOf(await response.text(), opening);
    this.#stories.set(name, story);
    return story;
  }

  /** @param {string} name @param {number} step */
  async #tell(name, step) {
    const told = (await this.#load(name)).steps[step];
    if (!told) throw new TypeError(`the story ${name} has no step ${step + 1}`);
    const { cluster, off, choices, begunAt } = told;
    const at = isLook(told) ? choices.length : begunAt;
    await this.#open({ ...NONE, mode: 'learn', name, step }, { cluster, off, seed: 1, choices }, at);
    // On a phone the visitor may have been at the stage.
    if (narrow.matches && find('#narration').getBoundingClientRect().top < 0) find('#narration').scrollIntoView();
  }

  /** It is played, and can be stepped through. */
  async #solve() {
    const level = this.#level;
    if (!level) return;
    const { cluster, off, opening, solution } = level;
    await this.#open(this.#lesson, { cluster, off, seed: 1, choices: [...opening, ...solution] }, opening.length);
    this.#player.toggle('play');
  }

  /** @param {string} id */
  #remember(id) {
    if (this.#solved.has(id)) return;
    this.#solved.add(id);
    try {
      localStorage.setItem(SOLVED, [...this.#solved].join(' '));
    } catch {
      // Until the page is closed, then.
    }
  }
}

/** A story, or what happened in a simulation, has the stage beside it and below it what happened; what a visitor may ask comes after that. @param {Lesson['mode']} mode */
function arrange(mode) {
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
