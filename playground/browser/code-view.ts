import { element, find, say } from '../../node-control/page/browser/element.js';
import { codeOf, excerptOf } from '../ladder/code.js';
import { patchedText } from '../levels/switches.js';
import { DIST } from './loader.js';
import type { Session } from './session.js';

const texts = new Map<string, Promise<string>>();
let latest: unknown;

/** Shows the lines that the last move ran, as they are: with the rules that are off. */
export async function showCode({ view, run }: Session): Promise<void> {
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
