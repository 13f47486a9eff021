import { element, find, say } from '../../node-control/page/browser/element.js';
import { DIST } from './loader.js';

/** @type {Map<string, Promise<string>>} */
const texts = new Map();
/** @type {unknown} */
let latest;

/**
 * Shows the lines that the last move ran, as they are: with the rules that are off.
 *
 * @param {import('./session.js').Session} session
 * @param {Awaited<ReturnType<typeof import('./loader.js').loadLessons>>} lessons
 */
export async function showCode({ view, run }, { codeOf, excerptOf, patchedText }) {
  const place = (latest = codeOf(view));
  say(find('#code-file'), place?.file ?? 'what the last move ran');
  if (!place) {
    find('#code').replaceChildren();
    return;
  }
  const { file } = place;
  const text = texts.get(file) ?? fetch(DIST + file).then((response) => response.text());
  texts.set(file, text);
  const lines = excerptOf(patchedText(file, await text, run.off), place);
  if (latest !== place) return;
  find('#code').replaceChildren(...lines.flatMap((line) => [line.isMarked ? element('mark', {}, line.text) : line.text, '\n']));
}
