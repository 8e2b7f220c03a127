/**
 * How much speech waits before it is played, so that a network which is late now and then is not
 * heard. Pure: fed samples, asked for numbers. All lengths are in samples of the stream.
 */
export class Depth {
  #min;
  #max;
  #most;
  #rate;
  #target;
  /** Mean of what waits, over about a second. */
  #level = 0;
  /** Samples since the target was last changed, and the least that waited meanwhile. */
  #calm = 0;
  #least = Infinity;

  /**
   * @param {number} rate  samples per second
   * @param {object} [options]
   * @param {number} [options.minMs]  what is enough on a network that is never late
   * @param {number} [options.maxMs]  more is not waited for
   * @param {number} [options.mostSpeed]  how far from 1 the speed may go
   */
  constructor(rate, { minMs = 40, maxMs = 400, mostSpeed = 0.01 } = {}) {
    this.#rate = rate;
    this.#min = (minMs * rate) / 1000;
    this.#max = (maxMs * rate) / 1000;
    this.#most = mostSpeed;
    this.#target = this.#min;
  }

  /** What shall wait when playing begins, and just after each arrival. */
  get target() {
    return this.#target;
  }

  /** Playing begins with so much. @param {number} waiting */
  begin(waiting) {
    this.#level = waiting - this.#ripple;
  }

  /** Nothing was left to play for so long, and then more came. @param {number} late */
  ranDry(late) {
    const step = Math.min(Math.max(late, 0.02 * this.#rate), 0.1 * this.#rate);
    this.#target = Math.min(this.#target + step, this.#max);
    this.#calm = 0;
    this.#least = Infinity;
  }

  /**
   * So much was played, and so much waits now. After each ten seconds without running dry what was
   * never needed in them is taken from the target, though not all of it at once.
   *
   * @param {number} samples
   * @param {number} waiting
   * @returns {number} how fast to play: a little faster while more waits than should (also because
   *     the server's clock runs faster), and slower while less does
   */
  played(samples, waiting) {
    this.#level += (waiting - this.#level) * Math.min(1, samples / this.#rate);
    this.#calm += samples;
    this.#least = Math.min(this.#least, waiting);
    if (this.#calm >= 10 * this.#rate) {
      const spare = Math.max(0, this.#least - this.#ripple);
      this.#target -= Math.min(spare, (this.#target - this.#min) / 2);
      this.#calm = 0;
      this.#least = Infinity;
    }
    const error = (this.#level - (this.#target - this.#ripple)) / this.#rate;
    return 1 + Math.max(-this.#most, Math.min(this.#most, error / 2));
  }

  /** Half of the 20 ms that come at once: the mean lies so far below what an arrival leaves. */
  get #ripple() {
    return 0.01 * this.#rate;
  }
}
