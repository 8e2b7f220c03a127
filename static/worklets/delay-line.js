/**
 * What a microphone heard while nobody could listen yet, and behind it what it hears now, in the
 * order of speaking. Pure: samples go in and come out.
 *
 * Once released it plays at the usual pace, and the pauses give the time back: of each no more is
 * kept than ends a phrase. A talk without any pause stays late by as much as the connection took.
 */
const MOST_S = 20;
const PAUSE_S = 0.4; // longer than the pause that ends a phrase
const QUANTA = 8; // some 20 ms are judged at a time
const MUTED = 0.0001; // -80 dB: a microphone that is switched off says nothing about the room
const FAINT = 0.0003;
const NOISY = 0.03;

export class DelayLine {
  #ring;
  #pauseSamples;
  #written = 0;
  #read = 0;
  #released = false;
  /** The quietest block so far: what the room sounds like. */ #floor = Infinity;
  /** Of the block that is being played: samples left. */ #left = 0;
  /** Samples of quiet that were played in a row; nobody misses those before the first word. */ #quiet = Infinity;

  /** @param {number} sampleRate */
  constructor(sampleRate) {
    this.#ring = new Float32Array(MOST_S * sampleRate);
    this.#pauseSamples = PAUSE_S * sampleRate;
  }

  /** Samples put in so far. */
  get written() {
    return this.#written;
  }

  /** Samples that came out, were left out as a pause, or fell out at the far end. */
  get read() {
    return this.#read;
  }

  /** Let it out from now on; until then there is silence. */
  release() {
    this.#released = true;
  }

  /** Leave out all that is held, and hold no more. */
  forget() {
    this.#read = this.#written;
    this.#left = 0;
    this.#released = true;
  }

  /** @param {Float32Array} samples  mono */
  push(samples) {
    const { length } = this.#ring;
    for (let index = 0; index < samples.length; index++) {
      this.#ring[(this.#written + index) % length] = samples[index];
    }
    this.#written += samples.length;
    this.#read = Math.max(this.#read, this.#written - length);
    const block = QUANTA * samples.length;
    if (this.#written % block) return;
    const level = this.#level(this.#written - block, block);
    if (level > MUTED) this.#floor = Math.min(this.#floor, level);
  }

  /** @param {Float32Array} samples  to be filled: silence while there is nothing */
  pull(samples) {
    if (this.#released && this.#left <= 0) this.#judge(QUANTA * samples.length);
    const playing = this.#released && this.#written - this.#read >= samples.length;
    if (!playing) return void samples.fill(0);
    const { length } = this.#ring;
    for (let index = 0; index < samples.length; index++) {
      samples[index] = this.#ring[(this.#read + index) % length];
    }
    this.#read += samples.length;
    this.#left -= samples.length;
  }

  /** Go on to the next block that is to be played. */
  #judge(block) {
    const limit = Math.max(FAINT, Math.min(NOISY, 2 * this.#floor));
    while (this.#written - this.#read > block) {
      if (this.#level(this.#read, block) > limit) this.#quiet = 0;
      else if (this.#quiet >= this.#pauseSamples) {
        this.#read += block;
        continue;
      } else this.#quiet += block;
      this.#left = block;
      return;
    }
  }

  /** Loudness of what was written at a place. */
  #level(from, count) {
    let sum = 0;
    for (let index = 0; index < count; index++) sum += this.#ring[(from + index) % this.#ring.length] ** 2;
    return Math.sqrt(sum / count);
  }
}
