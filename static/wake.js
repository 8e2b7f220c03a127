/** Keeps the screen of a phone lit while somebody talks, listens or reads. */

export class WakeLock {
  #wanted = false;
  /** @type {WakeLockSentinel|null} */ #lock = null;

  constructor() {
    // A browser takes the lock away from a page that is not seen, and does not give it back.
    document.addEventListener("visibilitychange", () => this.#take());
  }

  /** @param {boolean} wanted  whether the screen is to stay lit from now on */
  hold(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) this.#take();
    else this.#release();
  }

  async #take() {
    if (!this.#wanted || document.visibilityState !== "visible") return;
    // Refused with an empty battery, and missing without https: the page works all the same.
    const lock = await navigator.wakeLock?.request("screen").catch(() => null);
    if (!lock) return;
    if (this.#lock && !this.#lock.released) lock.release();
    else this.#lock = lock;
    if (!this.#wanted) this.#release();
  }

  #release() {
    this.#lock?.release();
    this.#lock = null;
  }
}
