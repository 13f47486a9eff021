import { element, find } from '../../node-control/page/browser/element.js';
import { drawing } from '../../node-control/page/browser/on-demand/drawing.js';
import type { StageView } from '../../verification/pictures/view.js';
import { keepFocus } from './focus.js';
import { button, type Choose, clientRows, nodeRows, parcelItem, quickCommands } from './panels.js';
import { renew } from './renewal.js';

/** So many moves before the present one are listed, and as many that follow: a run of the simulation has thousands. */
const LISTED = 250;

/** What looks as before stays, so that only what is new comes in. */
export function showDrawing(view: StageView, choose: Choose): void {
  const made = drawing(view, ({ number }) => choose(`d${number}`));
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

/** @param none what is said where there are none */
export function showParcels({ parcels }: StageView, choose: Choose, none: string): void {
  const list = find('#parcels');
  keepFocus(list, () =>
    renew(
      list,
      parcels.length === 0
        ? [[none, () => element('li', { class: 'none' }, none)]]
        : parcels.map((parcel) => [JSON.stringify(parcel), () => parcelItem(parcel, choose)]),
    ),
  );
}

/** What can be asked, broken and typed. */
export function showControls(view: StageView, choose: Choose, fresh: { word: string; number: number }): void {
  const quick = quickCommands(view).map((command) => button(command, () => choose(`control ${command}`)));
  for (const [place, ...made] of [
    ['#clients', clientRows(view, choose, fresh)],
    ['#nodes', nodeRows(view, choose)],
    ['#suggestions', ...quick],
  ] as const)
    // What a button of a client does depends on the key, too, which it does not name.
    keepFocus(find(place), () =>
      renew(
        find(place),
        made.map((one) => [`${view.key} ${one.outerHTML}`, () => one]),
      ),
    );
}

/** @param texts of each move, also of those that were made here before, and of what there was at first */
export function showMoves(texts: readonly string[], at: number, go: (at: number) => void): void {
  const list = find('#moves');
  const first = Math.max(0, at - LISTED);
  keepFocus(list, () =>
    renew(
      list,
      texts.slice(first, at + LISTED).map((text, index) => {
        const number = first + index;
        const current = number === at ? { 'aria-current': 'step' } : {};
        const goThere = (): HTMLElement => button(String(number), () => go(number), { 'aria-label': `Go to move ${number}`, ...current });
        const make = (): HTMLElement => element('li', { class: number > at ? 'ahead' : '' }, goThere(), element('span', {}, text));
        return [`${number} ${Math.sign(number - at)} ${text}`, make];
      }),
    ),
  );
  const current = list.querySelector('[aria-current]')?.parentElement;
  if (current) list.scrollTop = current.offsetTop - list.offsetTop - list.clientHeight / 2;
}
