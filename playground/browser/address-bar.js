/** At most. */
const EVERY_MS = 60;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let writtenAtMs = -Infinity;

/** At once, but not more often than browsers allow: they take no more after two hundred in ten seconds. @param {string} address */
export function writeAddress(address) {
  clearTimeout(timer);
  const write = () => {
    writtenAtMs = performance.now();
    history.replaceState(null, '', address);
  };
  const dueInMs = writtenAtMs + EVERY_MS - performance.now();
  if (dueInMs <= 0) write();
  else timer = setTimeout(write, dueInMs);
}
