/** @param {number} atMs */
export function timeText(atMs) {
  return new Date(atMs).toLocaleTimeString('en-GB');
}
