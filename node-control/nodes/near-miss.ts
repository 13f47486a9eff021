/** That many letters may be wrong, missing or too many. */
const MISSES_MAX = 2;

/**
 * What was probably meant by a name that is not known, as words to put behind the complaint: empty where nothing is near. A name with another
 * number means another node, and is no slip of the fingers.
 */
export function didYouMean(text: string, known: readonly string[]): string {
  const digits = (name: string): string => withoutPort(name).replace(/\D/g, '');
  const near = known.filter(
    (name) => digits(name) === digits(text) && misses(withoutPort(text).toLowerCase(), withoutPort(name)) <= MISSES_MAX,
  );
  return near.length === 1 ? ` Did you mean ${near.join('')}?` : '';
}

function withoutPort(name: string): string {
  return name.replace(/:\d*$/, '');
}

/** How many letters have to be put in, taken out or replaced. */
function misses(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [line, letter] of Array.from(from).entries()) {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
