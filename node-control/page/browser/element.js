/** The page on a phone: see style.css. */
export const narrow = matchMedia('(max-width: 54rem)');

/**
 * Makes an element. Nothing is ever parsed as HTML: what keys and values hold stays text.
 *
 * @param {string} name
 * @param {Record<string, string | number | boolean>} [attributes] false leaves one out
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/**
 * The same in SVG.
 *
 * @param {string} name
 * @param {Record<string, string | number | boolean>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

/** Words with a hyphen are not broken at it. @param {string} text @returns {(Node | string)[]} */
export function unbroken(text) {
  return text.split(/([^\s,]*-[^\s,]*)/).map((part, index) => (index % 2 === 0 ? part : element('span', { class: 'whole' }, part)));
}

/**
 * One that is in the page from the start.
 *
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function find(selector) {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** Only where it tells something new: what a reader has selected in it stays, and a screen reader is quiet. @param {HTMLElement} place @param {Element} made */
export function replace(place, made) {
  const old = place.firstElementChild;
  if (old) update(old, made);
  else place.replaceChildren(made);
}

/** Makes one node what the other one is; of what has the same shape, the nodes stay. @param {Node} old @param {Node} made */
function update(old, made) {
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

/** @param {Element} old @param {Element} made */
function isAlike(old, made) {
  return old.tagName === made.tagName && old.childNodes.length === made.childNodes.length;
}

/** The same for a text. @param {HTMLElement} place @param {string} text */
export function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/**
 * A table; its first column are row headers. On a narrow screen its rows stand beside each other.
 *
 * @param {readonly (Node | string)[]} caption
 * @param {readonly string[]} head
 * @param {readonly (readonly (Node | string)[])[]} body
 * @param {boolean} isTurned whether they do
 */
export function table(caption, head, body, isTurned = narrow.matches) {
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

/** `acceptor-1:6379` is called acceptor-1. @param {string} name */
export function shortName(name) {
  return name.replace(/:\d+$/, '');
}

/**
 * @template {Element} Made
 * @param {Made} made
 * @param {Record<string, string | number | boolean>} attributes
 * @param {(Node | string)[]} children
 * @returns {Made}
 */
function filled(made, attributes, children) {
  for (const [attribute, value] of Object.entries(attributes))
    if (value !== false) made.setAttribute(attribute, value === true ? '' : String(value));
  made.append(...children);
  return made;
}

/** The time of day. @param {number} atMs */
export function timeText(atMs) {
  return new Date(atMs).toLocaleTimeString('en-GB');
}

/** Calls back where a key is pressed for the page, and not for one of its controls. @param {string} key in lower case @param {() => void} act */
export function onKey(key, act) {
  document.addEventListener('keydown', (event) => {
    const isElsewhere = event.target instanceof Element && event.target.closest('input, button, a, summary') !== null;
    if (event.key.toLowerCase() !== key || isElsewhere || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
  });
}
