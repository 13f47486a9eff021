import { element, svg } from '../../node-control/page/browser/element.js';
import { colourOf } from '../../node-control/page/browser/on-demand/drawing.js';
import type { BarSight, ParcelSight, StageView } from '../../verification/pictures/view.js';

export type Choose = (choice: string) => void;

export function button(text: string, act: () => void, attributes: Record<string, string | boolean> = {}): HTMLElement {
  const made = element('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', act);
  return made;
}

/** What can be done with a message: by keyboard, too. */
export function parcelItem(parcel: ParcelSight, choose: Choose): HTMLElement {
  const { number, from, to, text, isReply, isPassable, isAgain } = parcel;
  const about = `message ${number}, ${from} to ${to}: ${text}`;
  const said = `${isAgain ? '(again) ' : ''}${text}`;
  return element(
    'li',
    { class: colourOf(parcel), 'data-parcel': number },
    element('span', { class: 'what' }, element('b', {}, `${from} → ${to}`), ` ${said}`),
    element(
      'span',
      { class: 'deeds row' },
      button('Deliver', () => choose(`d${number}`), { 'aria-label': `Deliver ${about}`, disabled: !isPassable }),
      button('Lose', () => choose(`x${number}`), { 'aria-label': `Lose ${about}` }),
      ...(isReply ? [] : [button('Twice', () => choose(`r${number}`), { 'aria-label': `Deliver twice ${about}`, disabled: !isPassable })]),
    ),
  );
}

export function clientRows(
  { proposers, key, nextVer, bars }: StageView,
  choose: Choose,
  { word, number }: { word: string; number: number },
): HTMLElement {
  const named = bars.findLast(({ text }) => / as \w+$/.test(text))?.text;
  return element(
    'div',
    { class: 'clients' },
    ...proposers.map(({ name, isUp }) => {
      const ask = (text: string, rest: string): HTMLElement =>
        button(text, () => choose(`${name} ${rest}`), { disabled: !isUp, 'aria-label': `${text}, through proposer ${name.slice(1)}` });
      return element(
        'p',
        { class: 'row' },
        element('b', {}, `through proposer ${name.slice(1)}`),
        ask('get', `get ${key}`),
        ask(`cas ${nextVer} "${word}"`, `cas ${key} ${nextVer} "${word}"`),
        ask(`add ${number}`, `add ${key} ${number}`),
        ask('delete', `delete ${key}`),
        ...(named === undefined ? [] : [ask(`again: ${named}`, named)]),
      );
    }),
  );
}

export function nodeRows({ proposers, acceptors }: StageView, choose: Choose): HTMLElement {
  const row = ({ name, isUp, isCut }: { name: string; isUp: boolean; isCut: boolean }, hasDisk: boolean): HTMLElement => {
    const title = `${hasDisk ? 'acceptor' : 'proposer'} ${name.slice(1)}`;
    const act = (text: string, verb: string): HTMLElement =>
      button(text, () => choose(`${verb} ${name}`), { 'aria-label': `${text}: ${title}` });
    return element(
      'p',
      { class: 'row' },
      element('b', {}, title),
      isUp ? act('kill', 'kill') : act('start', 'start'),
      isCut ? act('mend', 'mend') : act('cut off', 'cut'),
      ...(hasDisk ? [act('lose its disk', 'lose-disk')] : []),
    );
  };
  return element('div', {}, ...proposers.map((node) => row(node, false)), ...acceptors.map((node) => row(node, true)));
}

/** The operations, each with a bar from its beginning to its end. */
export function barsTable({ bars, verdict }: StageView): HTMLElement {
  const last = Math.max(1, ...bars.map(({ from, to }) => to ?? from + 1)) + 1;
  const place = new Map(verdict.order.map((number, index) => [number, index + 1]));
  const names = ['client', 'asked', 'was told', 'from its beginning to its end', 'order'];
  const head = names.map((name) => element('th', { scope: 'col' }, name));
  const rows = bars.map((bar, number) => {
    const isCulprit = verdict.culprit === number;
    const cells = [bar.text, `${bar.answer ?? '…'}${isCulprit ? ' ✕ cannot be placed' : ''}`].map((text) => element('td', {}, text));
    const [drawn, order] = [element('td', { class: 'when' }, barOf(bar, last)), element('td', {}, String(place.get(number) ?? ''))];
    return element('tr', { class: isCulprit ? 'culprit' : '' }, element('th', { scope: 'row' }, bar.client), ...cells, drawn, order);
  });
  return element(
    'table',
    { class: 'bars' },
    element('caption', {}, bars.length === 0 ? 'No client has asked for anything yet.' : 'What clients asked, and what they were told'),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...rows),
  );
}

function barOf({ from, to, isWrite }: BarSight, last: number): SVGElement {
  const kind = `bar ${isWrite ? 'write' : 'read'}${to === undefined ? ' open' : ''}`;
  return svg(
    'svg',
    { viewBox: `0 0 ${last} 10`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { x: from, y: 1, width: (to ?? last) - from, height: 8, class: kind }),
  );
}

/** To grow, to shrink, to bring all keys along by messages that can be touched, and to remove what was deleted. */
export function quickCommands({ proposers, acceptors }: StageView): string[] {
  const members = proposers[0]?.accept.nodes ?? [];
  const names = acceptors.map(({ name }) => name);
  const rescan = members.length > 0 ? [`rescan ${members.join(',')} ${members.length} --by-rounds`] : [];
  return [`resize ${names.join(',')}`, 'resize a1', ...rescan, 'collect'];
}

/** Commands that are worth a try. */
export function suggestions(view: StageView): string[] {
  const names = view.acceptors.map(({ name }) => name);
  const steps = ['add', 'rm'].flatMap((verb) => names.flatMap((name) => [`${verb}-accept all ${name} 2`, `${verb}-prepare all ${name} 2`]));
  return [...quickCommands(view), ...steps, ...names.map((name) => `wipe-acceptor ${name}`)];
}
