/**
 * Whose turn it is, of two people with a button each. Pure: time is an argument.
 *
 * A button that is held talks until it is let go; one that is tapped talks until it is tapped
 * again. Who presses while the other one talks takes the turn over.
 *
 * @typedef {0|1} Side
 * @typedef {{begin?: Side|undefined, end?: Side|undefined}} Change  what to do, the end first
 */
const TAP_MS = 350;

export class Turns {
  /** @type {Side|null} who talks */ side = null;
  #pressedAt = -Infinity;
  #held = false;

  /** @param {Side} side  @param {number} now  ms @returns {Change} */
  press(side, now) {
    const before = this.side;
    this.#held = before !== side;
    if (before === side) return this.stop();
    this.side = side;
    this.#pressedAt = now;
    return before === null ? { begin: side } : { end: before, begin: side };
  }

  /** @param {Side} side  @param {number} now  ms @returns {Change} */
  release(side, now) {
    const held = this.#held && this.side === side;
    this.#held = false;
    return held && now - this.#pressedAt >= TAP_MS ? this.stop() : {};
  }

  /** Nobody talks any more. @returns {Change} */
  stop() {
    const before = this.side;
    this.side = null;
    return before === null ? {} : { end: before };
  }
}
