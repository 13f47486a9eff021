/** At most. */
const EVERY_MS = 60;

let timer: ReturnType<typeof setTimeout> | undefined;
let writtenAtMs = -Infinity;

/** At once, but not more often than browsers allow: they take no more after two hundred in ten seconds. */
export function writeAddress(address: string): void {
  clearTimeout(timer);
  const write = (): void => {
    writtenAtMs = performance.now();
    history.replaceState(null, '', address);
  };
  const dueInMs = writtenAtMs + EVERY_MS - performance.now();
  if (dueInMs <= 0) write();
  else timer = setTimeout(write, dueInMs);
}
