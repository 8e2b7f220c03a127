/** When to try again: soon at first, then less and less often, never in step with others. */

const FIRST_MS = 500;
const LONGEST_MS = 8000;

export class Backoff {
  #endMs;
  #random;
  #stepMs = FIRST_MS;

  /**
   * @param {number} nowMs
   * @param {number} patienceMs  how long to go on trying
   * @param {() => number} [random]  0 to 1
   */
  constructor(nowMs, patienceMs, random = Math.random) {
    this.#endMs = nowMs + patienceMs;
    this.#random = random;
  }

  /**
   * @param {number} nowMs
   * @param {number} [atLeastMs]  what the server asks for
   * @returns {number|null} milliseconds to wait; null to give up
   */
  next(nowMs, atLeastMs = 0) {
    if (nowMs >= this.#endMs) return null;
    const waitMs = atLeastMs + this.#stepMs * (0.5 + this.#random() / 2);
    this.#stepMs = Math.min(2 * this.#stepMs, LONGEST_MS);
    return Math.min(waitMs, this.#endMs - nowMs);
  }
}
