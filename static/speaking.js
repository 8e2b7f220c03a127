/**
 * Whether the translation is heard right now. Pure: fed the server's playout events, the loudness
 * of what arrives, and the time.
 *
 * The events come first, by the length of the network's and the browser's buffers: a phrase counts
 * from its "started" on, and until its sound has died away, not until its "finished".
 */
const AUDIBLE = 0.003; // -50 dB; between phrases the stream is digital silence
const HOLD_S = 0.25; // a pause within a phrase, or a buffer longer than usual

export class SpeakingWatch {
  #announced = new Set();
  #until = -Infinity;

  /** @param {string} key  of the segment  @param {string} state  as in x.playout  @param {number} now  seconds */
  playout(key, state, now) {
    if (state === "started") this.#announced.add(key);
    else if (this.#announced.delete(key)) this.#until = now + HOLD_S;
  }

  /** @param {number} rms  0 to 1  @param {number} now  seconds */
  level(rms, now) {
    if (rms > AUDIBLE) this.#until = now + HOLD_S;
  }

  /** @param {number} now  seconds */
  speaking(now) {
    return this.#announced.size > 0 || now < this.#until;
  }
}
