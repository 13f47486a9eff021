/** By its key it is known that a child looks as before: the key says all that it shows, and which one of its like it is. */
export type KeyedChild = readonly [key: string, make: () => Element];

/** By what the children of a place were made. */
const KEYS = new WeakMap<Element, string>();

/** Gives a place these children, in this order. One whose key was there already stays what it is, with its focus; only the others are made. */
export function renew(place: Element, wanted: readonly KeyedChild[]): void {
  const keys = new Set(wanted.map(([key]) => key));
  const kept = new Map<string, Element>();
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
