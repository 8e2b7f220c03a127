/**
 * How loud the original is while the translation speaks over it. Pure: told what happens and when,
 * it answers with ramps of gain. The level falls fast, so that no word of the translation is
 * lost, and rises slowly; it moves evenly in decibels, and turns round from wherever it is.
 *
 * @typedef {object} Ramp
 * @property {number} from  gain at the start
 * @property {number} to  gain at the end
 * @property {number} start  seconds
 * @property {number} end  seconds
 */
const DUCKED_DB = -20;
const ATTACK_S = 0.06;
const RELEASE_S = 0.4;

export class Ducking {
  /** The last ramp, in decibels. */
  #ramp = { from: 0, to: 0, start: 0, end: 0 };

  /** @param {boolean} ducked  @param {number} now  seconds  @returns {Ramp} */
  turn(ducked, now) {
    const from = this.#dbAt(now);
    const to = ducked ? DUCKED_DB : 0;
    const whole = ducked ? ATTACK_S : RELEASE_S;
    const end = now + whole * Math.abs((to - from) / DUCKED_DB);
    this.#ramp = { from, to, start: now, end };
    return { from: gain(from), to: gain(to), start: now, end };
  }

  #dbAt(now) {
    const { from, to, start, end } = this.#ramp;
    if (now >= end) return to;
    return from + ((to - from) * (now - start)) / (end - start);
  }
}

/**
 * Play a ramp. An exponential ramp of gain is a straight line in decibels.
 *
 * @param {AudioParam} param  @param {Ramp} ramp
 */
export function follow(param, { from, to, start, end }) {
  param.cancelScheduledValues(start);
  param.setValueAtTime(from, start);
  if (end > start) param.exponentialRampToValueAtTime(to, end);
}

/** @param {number} db */
function gain(db) {
  return 10 ** (db / 20);
}
