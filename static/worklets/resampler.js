/**
 * Band-limited conversion between sample rates: a polyphase windowed-sinc filter whose coefficients
 * are made once. Its reach is that of a Kaiser window (Kaiser 1974), 80 dB down from half the lower
 * rate on. Nothing is allocated after construction.
 *
 * At the ratios of real sound cards every output falls on a phase of the table; between two phases,
 * when the speed is changed or the ratio is odd, coefficients are interpolated.
 */

const ATTENUATION_DB = 80;
const BETA = 0.1102 * (ATTENUATION_DB - 8.7);
/** The pass band ends here, as a share of half the lower rate. */
const PASS = 0.875;
const MOST_EXACT_PHASES = 1024;
const INTERPOLATED_PHASES = 256;
/** Closer to a phase than this is on it: positions are sums of rounded steps. */
const ON_PHASE = 1e-6;

export class Resampler {
  #step;
  #speed = 1;
  #taps;
  #phases;
  /** Coefficients of one phase after the other, one phase more than there are, to interpolate. */
  #table;
  #history;
  /** Where the window of the next output begins in the history, and the part behind the point. */
  #at = 0;
  #fraction = 0;
  #end = 0;

  /**
   * @param {number} from  samples per second in
   * @param {number} to  samples per second out
   * @param {object} [options]
   * @param {number} [options.capacity]  samples in that may wait
   * @param {boolean} [options.variable]  whether `speed` will be changed
   */
  constructor(from, to, { capacity = 1024, variable = false } = {}) {
    this.#step = from / to;
    const phases = to / greatestCommonDivisor(from, to);
    this.#phases = variable || phases > MOST_EXACT_PHASES ? INTERPOLATED_PHASES : phases;
    const nyquist = Math.min(from, to) / 2;
    const transition = (2 * Math.PI * (1 - PASS) * nyquist) / from;
    this.#taps = 2 * Math.ceil((ATTENUATION_DB - 7.95) / (2.285 * transition) / 2);
    this.#table = coefficients(this.#taps, this.#phases, (nyquist * (1 + PASS)) / from);
    this.#history = new Float32Array(this.#taps + capacity);
    this.reset();
  }

  /** Forget what was heard: silence lies before the next sample. */
  reset() {
    this.#at = this.#fraction = 0;
    this.#end = this.#taps / 2 - 1; // the first sample is at the point of the first output
    this.#history.fill(0, 0, this.#end);
  }

  /** How much faster than its own rate the input is consumed. @param {number} speed */
  set speed(speed) {
    this.#speed = speed;
  }

  /** Samples in that can still be given out: half the filter's length less than were taken in. */
  get waiting() {
    return Math.max(0, this.#end - this.#taps + 1 - this.#at);
  }

  /**
   * Take samples in; there must be room.
   *
   * @param {Float32Array} samples
   * @param {number} [length]  how many of them
   */
  push(samples, length = samples.length) {
    const history = this.#history;
    if (this.#end + length > history.length) {
      history.copyWithin(0, this.#at, this.#end);
      this.#end -= this.#at;
      this.#at = 0;
    }
    for (let index = 0; index < length; index++) history[this.#end + index] = samples[index];
    this.#end += length;
  }

  /**
   * Write samples out, as many as there are.
   *
   * @param {Float32Array} output
   * @param {number} begin  where to write the first
   * @param {number} end  where to stop
   * @returns {number} where it stopped
   */
  pull(output, begin, end) {
    const step = this.#step * this.#speed;
    const last = this.#end - this.#taps;
    let at = this.#at;
    let fraction = this.#fraction;
    let index = begin;
    for (; index < end && at <= last; index++) {
      output[index] = this.#sample(at, fraction);
      fraction += step;
      const whole = Math.floor(fraction);
      at += whole;
      fraction -= whole;
    }
    this.#at = at;
    this.#fraction = fraction;
    return index;
  }

  #sample(at, fraction) {
    const place = fraction * this.#phases;
    const phase = Math.floor(place + ON_PHASE);
    const between = place - phase;
    const here = this.#filter(at, phase * this.#taps);
    if (between < ON_PHASE) return here;
    return here + between * (this.#filter(at, (phase + 1) * this.#taps) - here);
  }

  #filter(at, row) {
    const history = this.#history;
    const table = this.#table;
    const taps = this.#taps;
    // Two sums: an addition need not wait for the one before. The number of taps is even.
    let even = 0;
    let odd = 0;
    for (let tap = 0; tap < taps; tap += 2) {
      even += history[at + tap] * table[row + tap];
      odd += history[at + tap + 1] * table[row + tap + 1];
    }
    return even + odd;
  }
}

/**
 * @param {number} taps  even
 * @param {number} phases
 * @param {number} cutoff  as a share of half the input rate
 */
function coefficients(taps, phases, cutoff) {
  const table = new Float32Array((phases + 1) * taps);
  const half = taps / 2;
  for (let phase = 0; phase <= phases; phase++) {
    const row = table.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const x = tap - (half - 1) - phase / phases;
      row[tap] = cutoff * sinc(cutoff * x) * kaiser(x / half);
      sum += row[tap];
    }
    for (let tap = 0; tap < taps; tap++) row[tap] /= sum; // the same gain at every phase
  }
  return table;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The Kaiser window at `x`, −1 to 1. */
function kaiser(x) {
  return Math.abs(x) > 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/** Modified Bessel function of the first kind, order zero, by its power series. */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a, b) {
  return b ? greatestCommonDivisor(b, a % b) : a;
}
