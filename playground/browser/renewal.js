/** By what the children of a place were made. @type {WeakMap<Element, string>} */
const KEYS = new WeakMap();

/**
 * Gives a place these children, in this order. One whose key was there already stays what it is, with its focus; only the others are made.
 *
 * @param {Element} place
 * @param {readonly (readonly [key: string, make: () => Element])[]} wanted a key says all that its child shows, and which one of its like it is
 */
export function renew(place, wanted) {
  const keys = new Set(wanted.map(([key]) => key));
  /** @type {Map<string, Element>} */
  const kept = new Map();
  for (const child of [...place.children]) {
    const key = KEYS.get(child);
    if (key !== undefined && keys.has(key)) kept.set(key, child);
    else child.remove();
  }
  let next = place.firstElementChild;
  for (const [key, make] of wanted) {
    const child = kept.get(key) ?? make();
    KEYS.set(child, key);
    if (child === next) next = child.nextElementSibling;
    else place.insertBefore(child, next);
  }
}
