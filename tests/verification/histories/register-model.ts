/** What a file says of one operation. Its end is infinitely late where nobody knows it. */
export interface ModelOperation {
  readonly f: string;
  readonly value: unknown;
  readonly begin: number;
  readonly end: number;
}

/**
 * Linearizability of a register by its definition, as the tools check it that these files are for: an operation whose outcome is not known happened at some
 * time, or never. What failed is not among them.
 */
export function isRegister(operations: readonly ModelOperation[]): boolean {
  const dead = new Set<string>();
  const fits = (state: unknown, left: readonly ModelOperation[]): boolean => {
    const firstEnd = Math.min(...left.map(({ end }) => end));
    if (firstEnd === Infinity) return true;
    const place = JSON.stringify([state, left.map(({ begin }) => begin)]);
    if (dead.has(place)) return false;
    const isFound = left.some((one) => {
      if (one.begin > firstEnd) return false;
      const next = step(state, one);
      return (
        next !== undefined &&
        fits(
          next.state,
          left.filter((other) => other !== one),
        )
      );
    });
    if (!isFound) dead.add(place);
    return isFound;
  };
  return fits(null, operations);
}

function step(state: unknown, { f, value }: ModelOperation): { state: unknown } | undefined {
  switch (f) {
    case 'read':
      return value === state ? { state } : undefined;
    case 'write':
      return { state: value };
    case 'add':
      return { state: Number(state ?? 0) + Number(value) };
    case 'cas': {
      const [before, after] = value as [unknown, unknown];
      return before === state ? { state: after } : undefined;
    }
    default:
      throw new TypeError(`a register cannot ${f}`);
  }
}

/** Which process did what and when: its beginning, and its end if it has one. Throws where a process does two things at once, or is dead. */
export function paired(
  events: readonly { readonly process: number; readonly type: string; readonly f: string; readonly value: unknown }[],
): ModelOperation[] {
  const running = new Map<number, ModelOperation>();
  const dead = new Set<number>();
  const all: ModelOperation[] = [];
  events.forEach(({ process, type, f, value }, at) => {
    const begun = running.get(process);
    if (type === 'invoke') {
      if (begun || dead.has(process)) throw new TypeError(`process ${process} is busy or dead`);
      running.set(process, { f, value, begin: at, end: Infinity });
      return;
    }
    if (begun?.f !== f) throw new TypeError(`process ${process} did not begin to ${f}`);
    running.delete(process);
    if (type === 'ok') all.push({ ...begun, value, end: at });
    else if (type === 'info') all.push(begun);
    if (type === 'info') dead.add(process);
  });
  return [...all, ...running.values()];
}
