const CONTROLS = 'button, select';

/** Changes what a place shows. A control that has the focus keeps it, or the one that came in its stead. @param {HTMLElement} place @param {() => void} change */
export function keepFocus(place, change) {
  const { activeElement } = document;
  const isWithin = activeElement !== null && activeElement !== place && place.contains(activeElement);
  const label = isWithin ? nameOf(activeElement) : '';
  const index = isWithin ? [...place.querySelectorAll(CONTROLS)].indexOf(activeElement) : 0;
  change();
  if (!isWithin || document.activeElement === activeElement) return;
  const usable = (/** @type {Element | undefined} */ one) => one !== undefined && !one.hasAttribute('disabled');
  const controls = /** @type {HTMLElement[]} */ ([...place.querySelectorAll(CONTROLS)]);
  const same = controls.find((one) => nameOf(one) === label && usable(one));
  (same ?? controls.slice(index).find(usable) ?? controls.find(usable) ?? place).focus();
}

/** @param {Element} control */
function nameOf(control) {
  return control.getAttribute('aria-label') ?? control.textContent;
}
