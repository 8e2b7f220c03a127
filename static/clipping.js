/**
 * Tells when a source is too loud for itself: its loudest samples are cut off, and no word is
 * recognised as well. Pure: fed peaks and the time.
 */
const FULL = 0.99;
const WITHIN_MS = 2000; // one slam of a door is no reason to bother anybody
const OVER_MS = 4000;

export class ClipWatch {
  #last = -Infinity;
  #told = false;

  /**
   * @param {number} peak  0 to 1
   * @param {number} nowMs
   * @returns {boolean|null} true when it goes on clipping, false when that ends, else null
   */
  push(peak, nowMs) {
    const before = nowMs - this.#last;
    if (peak < FULL) return this.#told && before >= OVER_MS ? this.#tell(false) : null;
    this.#last = nowMs;
    return before <= WITHIN_MS && !this.#told ? this.#tell(true) : null;
  }

  #tell(clipping) {
    this.#told = clipping;
    return clipping;
  }
}
