/** The network, or the person, is back: no time to go on waiting. */
export class Comeback {
  #watch = new AbortController();
  #seen = false;
  #wake = () => {};

  constructor() {
    const { signal } = this.#watch;
    globalThis.addEventListener?.("online", () => this.#back(), { signal });
    globalThis.document?.addEventListener(
      "visibilitychange",
      () => document.visibilityState === "visible" && this.#back(),
      { signal },
    );
  }

  /**
   * Wait, but no longer than until one of them is back, or `close`.
   *
   * @param {number} waitMs
   * @returns {Promise<boolean>}  whether one came back, now or since this was last asked
   */
  async within(waitMs) {
    if (!this.#seen && !this.#watch.signal.aborted) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const seen = this.#seen;
    this.#seen = false;
    return seen;
  }

  /** Stop watching; who waits, waits no more. */
  close() {
    this.#watch.abort();
    this.#wake();
  }

  #back() {
    this.#seen = true;
    this.#wake();
  }
}
