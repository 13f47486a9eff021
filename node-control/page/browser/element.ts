/** The page on a phone: see style.css. */
export const narrow = matchMedia('(max-width: 54rem)');

/** One that is false is left out. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export type Child = Node | string;

/** Makes an element. Nothing is ever parsed as HTML: what keys and values hold stays text. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  return filled(document.createElement(name), attributes, children);
}

/** The same in SVG. */
export function svg(name: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

/** Words with a hyphen are not broken at it. */
export function unbroken(text: string): Child[] {
  return text.split(/([^\s,]*-[^\s,]*)/).map((part, index) => (index % 2 === 0 ? part : element('span', { class: 'whole' }, part)));
}

/** One that is in the page from the start. */
export function find(selector: string): HTMLElement {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** Only where it tells something new: what a reader has selected in it stays, and a screen reader is quiet. */
export function replace(place: HTMLElement, made: Element): void {
  const old = place.firstElementChild;
  if (old) update(old, made);
  else place.replaceChildren(made);
}

/** Makes one node what the other one is; of what has the same shape, the nodes stay. */
function update(old: Node, made: Node): void {
  if (old.isEqualNode(made)) return;
  if (old instanceof Text && made instanceof Text) {
    old.data = made.data;
  } else if (old instanceof Element && made instanceof Element && isAlike(old, made)) {
    for (const { name } of [...old.attributes]) if (!made.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of made.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const children = [...made.childNodes];
    [...old.childNodes].forEach((child, index) => update(child, children[index] ?? child));
  } else {
    old.parentNode?.replaceChild(made, old);
  }
}

function isAlike(old: Element, made: Element): boolean {
  return old.tagName === made.tagName && old.childNodes.length === made.childNodes.length;
}

/** The same for a text. */
export function say(place: HTMLElement, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}

/** A table; its first column are row headers. On a narrow screen its rows stand beside each other. @param isTurned whether they do */
export function table(
  caption: readonly Child[],
  head: readonly string[],
  body: readonly (readonly Child[])[],
  isTurned: boolean = narrow.matches,
): HTMLElement {
  const [top = [], ...rows] = isTurned ? head.map((name, column) => [name, ...body.map((row) => row[column] ?? '')]) : [head, ...body];
  return element(
    'table',
    { class: isTurned && 'turned' },
    element('caption', {}, ...caption),
    element('thead', {}, element('tr', {}, ...top.map((cell) => element('th', { scope: 'col' }, cell)))),
    element(
      'tbody',
      {},
      ...rows.map(([first = '', ...cells]) =>
        element('tr', {}, element('th', { scope: 'row' }, first), ...cells.map((cell) => element('td', {}, cell))),
      ),
    ),
  );
}

/** `acceptor-1:6379` is called acceptor-1. */
export function shortName(name: string): string {
  return name.replace(/:\d+$/, '');
}

function filled<Made extends Element>(made: Made, attributes: Attributes, children: readonly Child[]): Made {
  for (const [attribute, value] of Object.entries(attributes))
    if (value !== false) made.setAttribute(attribute, value === true ? '' : String(value));
  made.append(...children);
  return made;
}

/** The time of day. */
export function timeText(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB');
}

/** Calls back where a key is pressed for the page, and not for one of its controls. @param key in lower case */
export function onKey(key: string, act: () => void): void {
  document.addEventListener('keydown', (event) => {
    const isElsewhere = event.target instanceof Element && event.target.closest('input, button, a, summary') !== null;
    if (event.key.toLowerCase() !== key || isElsewhere || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  });
}
