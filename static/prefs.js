/** What the page remembers on this device. A browser may forbid it; then nothing is remembered. */

/** @param {string} key  @param {unknown} value  anything JSON can hold */
export function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // forbidden or full: the page works all the same
  }
}

/** @template T  @param {string} key  @param {T} otherwise  @returns {T} */
export function recall(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
