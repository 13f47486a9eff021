import { element, find } from '../../node-control/page/browser/element.js';
import { loadStage } from './loader.js';
import { button } from './panels.js';

/** @import { Session } from './session.js' */
/** @import { Story } from '../ladder/ladder.js' */
/** @typedef {Awaited<ReturnType<typeof import('./loader.js').loadLessons>>} LessonModules */

const TRANSCRIPTS = new URL('../../docs/transcripts/', import.meta.url);
/** Where the levels that were solved are remembered, if the browser lets it. */
const SOLVED = 'caspaxos-playground-solved';

/** @type {import('../ladder/ladder.js').Opening} */
const opening = async (cluster, off) => (await loadStage(off)).replay({ cluster, choices: [] });

/** What the visitor is led through: nothing, a story, or a level. */
export class Lessons {
  /** @type {'free' | 'learn' | 'levels'} */
  #mode = 'free';
  #level = '';
  #story = '';
  #step = 0;
  /** @type {Map<string, Story>} */
  #stories = new Map();
  #modules;
  #session;
  #attempt;
  /** @type {Set<string>} */
  #solved = new Set();
  #isHinted = false;

  /** @param {LessonModules} modules @param {Session} session @param {(deed: Promise<unknown>) => Promise<void>} attempt */
  constructor(modules, session, attempt) {
    this.#modules = modules;
    this.#session = session;
    this.#attempt = attempt;
    try {
      this.#solved = new Set((localStorage.getItem(SOLVED) ?? '').split(' '));
    } catch {
      // Nothing is remembered then.
    }
    const modes = {
      free: () => this.leave(session.modules.runAt('').run),
      learn: () => this.#tell(modules.STORIES[0] ?? '', 0),
      levels: () => this.#begin(this.#firstUnsolved()),
    };
    for (const [mode, begin] of Object.entries(modes)) find(`[data-mode=${mode}]`).addEventListener('click', () => void attempt(begin()));
  }

  /** The part of the address that says which lesson it is. */
  get address() {
    if (this.#mode === 'levels') return `level=${this.#level}&`;
    return this.#mode === 'learn' ? `story=${this.#story}&step=${this.#step + 1}&` : '';
  }

  /** Whether what is played ends where the recorded choices end. */
  get isLed() {
    return this.#mode !== 'free';
  }

  /** What stands above all, if a lesson has something to say there. */
  get headline() {
    if (this.#mode === 'levels') {
      const level = this.#present();
      if (!this.#session.view.verdict.isSound && level?.isLosable !== false) return 'Solved. The judge says what cannot be.';
      return level?.task;
    }
    return this.#mode === 'learn' ? this.#stories.get(this.#story)?.title : undefined;
  }

  /** @param {string} address behind the # */
  async openAddress(address) {
    const parts = new Map(address.split('&').map((part) => /** @type {[string, string]} */ (part.split('=', 2))));
    const { run, at } = this.#session.modules.runAt(address);
    const level = parts.get('level');
    const story = parts.get('story');
    [this.#mode, this.#level, this.#isHinted] = ['free', '', false];
    if (level !== undefined && this.#modules.LEVELS.some(({ id }) => id === level)) [this.#mode, this.#level] = ['levels', level];
    if (story !== undefined && this.#modules.STORIES.includes(story)) {
      await this.#load(story);
      [this.#mode, this.#story, this.#step] = ['learn', story, Number(parts.get('step') ?? 1) - 1];
    }
    if (!parts.has('moves') && this.#mode === 'levels') return this.#begin(this.#level);
    if (!parts.has('moves') && this.#mode === 'learn') return this.#tell(this.#story, this.#step);
    return this.#session.open(run, at);
  }

  /** After each move. @param {Session} session */
  follow({ view, run, at }) {
    for (const control of document.querySelectorAll('[data-mode]'))
      control.setAttribute('aria-pressed', String(control.getAttribute('data-mode') === this.#mode));
    const place = find('#lesson');
    const focus = document.activeElement?.textContent;
    const hadFocus = place.contains(document.activeElement);
    if (this.#mode === 'free') place.replaceChildren();
    else if (this.#mode === 'learn') place.replaceChildren(...this.#storyParts(at));
    else place.replaceChildren(...this.#levelParts(!view.verdict.isSound, run.off));
    if (hadFocus) [...place.querySelectorAll('button')].find((one) => one.textContent === focus)?.focus();
  }

  /** Opens a run that is no lesson. @param {import('../stage/run.js').Run} run */
  leave(run) {
    this.#mode = 'free';
    return this.#session.open(run);
  }

  #present() {
    return this.#modules.LEVELS.find(({ id }) => id === this.#level);
  }

  #firstUnsolved() {
    const { LEVELS } = this.#modules;
    return (LEVELS.find(({ id }) => !this.#solved.has(id)) ?? LEVELS[0])?.id ?? '';
  }

  /** @param {string} id */
  #begin(id) {
    [this.#mode, this.#level, this.#isHinted] = ['levels', id, false];
    const level = this.#present();
    if (!level) return Promise.reject(new TypeError(`there is no level ${id}`));
    const { cluster, off, opening } = level;
    return this.#session.open({ cluster, off, seed: 1, choices: opening });
  }

  /** @param {string} name */
  async #load(name) {
    if (this.#stories.has(name)) return;
    const response = await fetch(new URL(`${name}.txt`, TRANSCRIPTS));
    if (!response.ok) throw new Error(`the transcript ${name} is not there`);
    this.#stories.set(name, await this.#modules.storyOf(await response.text(), opening));
  }

  /** @param {string} name @param {number} step */
  async #tell(name, step) {
    await this.#load(name);
    const steps = this.#stories.get(name)?.steps ?? [];
    const at = Math.min(Math.max(step, 0), steps.length - 1);
    const told = steps[at];
    if (!told) throw new TypeError(`there is no story ${name}`);
    [this.#mode, this.#story, this.#step] = ['learn', name, at];
    const { cluster, off, choices, begunAt } = told;
    await this.#session.open({ cluster, off, seed: 1, choices }, begunAt);
  }

  /** @param {number} at */
  #storyParts(at) {
    const { STORIES } = this.#modules;
    const steps = this.#stories.get(this.#story)?.steps ?? [];
    const step = steps[this.#step];
    if (!step) return [];
    const names = STORIES.map((name) => /** @type {const} */ ([name, name.replaceAll('-', ' ')]));
    const choice = this.#picker('story', names, this.#story, (name) => this.#tell(name, 0));
    const rest = step.choices.length - at;
    const other = (/** @type {string} */ text, /** @type {number} */ by) =>
      button(text, () => void this.#attempt(this.#tell(this.#story, this.#step + by)), { disabled: !steps[this.#step + by] });
    const nextStory = STORIES[STORIES.indexOf(this.#story) + 1];
    return [
      ...step.prose.map((paragraph) => element('p', {}, paragraph)),
      element('p', {}, ...step.commands.map((command) => element('code', {}, command))),
      element(
        'p',
        { class: 'row' },
        choice,
        other('◀ before', -1),
        button(
          rest > 0 ? `Show it: ${rest} ${rest === 1 ? 'move' : 'moves'}` : step.begunAt === at ? 'Nothing moves here' : 'Shown',
          () => find('#play').click(),
          {
            disabled: rest <= 0,
          },
        ),
        nextStory === undefined || steps[this.#step + 1]
          ? other('next ▶', 1)
          : button('next story ▶', () => void this.#attempt(this.#tell(nextStory, 0))),
        element('span', {}, `step ${this.#step + 1} of ${steps.length}`),
      ),
    ];
  }

  /**
   * @param {string} label
   * @param {readonly (readonly [value: string, text: string])[]} options
   * @param {string} present
   * @param {(value: string) => Promise<void>} act
   */
  #picker(label, options, present, act) {
    const made = options.map(([value, text]) => element('option', { value, selected: value === present }, text));
    const choice = /** @type {HTMLSelectElement} */ (element('select', { 'aria-label': label }, ...made));
    choice.addEventListener('change', () => void this.#attempt(act(choice.value)));
    return choice;
  }

  /** @param {boolean} isBroken @param {readonly string[]} off */
  #levelParts(isBroken, off) {
    const { LEVELS, switchCalled } = this.#modules;
    const level = this.#present();
    if (!level) return [];
    if (isBroken && level.isLosable) this.#remember(level.id);
    const index = LEVELS.indexOf(level);
    const titles = LEVELS.map(({ id, title }, at) => /** @type {const} */ ([id, `${at + 1} ${title}${this.#solved.has(id) ? ' ✓' : ''}`]));
    const choice = this.#picker('level', titles, level.id, (id) => this.#begin(id));
    const next = LEVELS[index + 1];
    const broken = off.map((id) => `“${switchCalled(id).name}”`).join(', ');
    return [
      element('p', {}, off.length === 0 ? 'All rules are on.' : `What is broken here: ${broken}.`, ' ', level.about),
      ...(isBroken ? [element('p', { class: 'lesson' }, level.lesson)] : []),
      ...(this.#isHinted && !isBroken ? [element('p', { class: 'lesson' }, level.hint)] : []),
      element(
        'p',
        { class: 'row' },
        choice,
        button('Begin it again', () => void this.#attempt(this.#begin(level.id))),
        button('A hint', () => {
          this.#isHinted = true;
          this.follow(this.#session);
        }),
        ...(level.isLosable ? [button('Show a solution', () => void this.#attempt(this.#solve()))] : []),
        ...(next ? [button('next ▶', () => void this.#attempt(this.#begin(next.id)))] : []),
        element('span', {}, `level ${index + 1} of ${LEVELS.length}`),
      ),
    ];
  }

  /** It is played, and can be stepped through. */
  async #solve() {
    const level = this.#present();
    if (!level) return;
    const { cluster, off, opening, solution } = level;
    await this.#session.open({ cluster, off, seed: 1, choices: [...opening, ...solution] }, opening.length);
    if (find('#play').getAttribute('aria-pressed') !== 'true') find('#play').click();
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
