/**
 * Tells when a source gives no sound at all. Pure: fed levels and the time.
 *
 * A person who merely says nothing is not to be bothered: once speech was heard, only digital
 * silence (a muted microphone) counts.
 */
const AFTER_MS = 5000;
const FAINT = 0.003; // -50 dB: the noise of a quiet room on a working microphone may be below
const NOTHING = 0.0001; // -80 dB: no microphone is that quiet

export class SilenceWatch {
  #threshold = FAINT;
  /** @type {number|null} */ #since = null;
  #told = false;

  /**
   * @param {number} rms
   * @param {number} nowMs
   * @returns {boolean|null} true when it has been silent for long, false when that ends, else null
   */
  push(rms, nowMs) {
    if (rms > this.#threshold) {
      this.#since = null;
      return this.#tell(false);
    }
    this.#since ??= nowMs;
    return nowMs - this.#since >= AFTER_MS ? this.#tell(true) : null;
  }

  /** The source works. */
  speechHeard() {
    this.#threshold = NOTHING;
  }

  #tell(silent) {
    if (silent === this.#told) return null;
    this.#told = silent;
    return silent;
  }
}
