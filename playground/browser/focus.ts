const CONTROLS = 'button, select';

/** Changes what a place shows. A control that has the focus keeps it, or the one that came in its stead. */
export function keepFocus(place: HTMLElement, change: () => void): void {
  const { activeElement } = document;
  const isWithin = activeElement !== null && activeElement !== place && place.contains(activeElement);
  const label = isWithin ? nameOf(activeElement) : '';
  const index = isWithin ? [...place.querySelectorAll(CONTROLS)].indexOf(activeElement) : 0;
  change();
  if (!isWithin || document.activeElement === activeElement) return;
  const usable = (one: Element | undefined): boolean => one !== undefined && !one.hasAttribute('disabled');
  const controls = [...place.querySelectorAll(CONTROLS)] as HTMLElement[];
  const same = controls.find((one) => nameOf(one) === label && usable(one));
  (same ?? controls.slice(index).find(usable) ?? controls.find(usable) ?? place).focus();
}

function nameOf(control: Element): string {
  return control.getAttribute('aria-label') ?? control.textContent;
}
