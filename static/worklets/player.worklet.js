/**
 * Plays what comes over a WebSocket: chunks of mono 16 kHz Int16LE, at any pace, at whatever rate the
 * context runs. Nothing comes in silence.
 *
 * Post it each chunk as an ArrayBuffer; "finished" when a sentence has come to its end, so that
 * nothing more is waited for; "clear" to drop what waits; "end" to end it. While it plays it posts
 * {targetMs, waitingMs, underruns, droppedMs, speed} once a second: the first two and the last as
 * they are, the others since the beginning.
 */
import { Depth } from "./depth.js";
import { Resampler } from "./resampler.js";

const RATE = 16_000;
const FADE_S = 0.005;
const FADE_SAMPLES = FADE_S * RATE;
/** Who is so far behind was asleep, and goes on with the newest. */
const MOST_WAITING = 10 * RATE;
/** A longer silence is one between sentences, not a network that is late. */
const LATE_S = 0.3;
const BLOCK = 64;

class Player extends AudioWorkletProcessor {
  #resampler = new Resampler(RATE, sampleRate, { variable: true });
  #depth = new Depth(RATE);
  #ring = new Float32Array(MOST_WAITING);
  #begin = 0;
  #length = 0;
  #block = new Float32Array(BLOCK);
  #gain = 0;
  #speed = 1;
  #playing = false;
  #finished = true;
  /** Frames of the context since the queue ran dry, and since the first chunk after that. */
  #dryFrames = Infinity;
  #heldFrames = 0;
  #reported = 0;
  #underruns = 0;
  #dropped = 0;
  #running = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data === "end") this.#running = false;
      else if (data === "clear") this.#clear();
      else if (data === "finished") this.#finished = true;
      else this.#take(new DataView(data));
    };
  }

  process(_inputs, [[output]]) {
    if (!this.#playing && !this.#mayBegin(output.length)) return this.#running;
    const before = this.#waiting;
    this.#feed(output.length);
    const end = this.#resampler.pull(output, 0, output.length);
    this.#fade(output, end, before);
    const waiting = this.#waiting;
    if (end < output.length || waiting < 1) this.#stop();
    else if (!this.#finished) this.#speed = this.#depth.played(before - waiting, waiting);
    this.#resampler.speed = this.#speed;
    this.#report(output.length);
    return this.#running;
  }

  /** What can still be played, in samples of the stream. */
  get #waiting() {
    return this.#length + this.#resampler.waiting;
  }

  /** @param {DataView} chunk */
  #take(chunk) {
    const samples = chunk.byteLength >> 1;
    if (this.#length + samples > MOST_WAITING) {
      this.#dropped += this.#length;
      this.#length = 0;
    }
    if (this.#length === 0 && !this.#playing) this.#followDry();
    this.#finished = false;
    for (let index = 0; index < samples; index++) {
      this.#ring[(this.#begin + this.#length + index) % MOST_WAITING] = chunk.getInt16(2 * index, true) / 32768;
    }
    this.#length += samples;
  }

  /** The first chunk after silence: was it late? */
  #followDry() {
    this.#heldFrames = 0;
    if (this.#finished || this.#dryFrames > LATE_S * sampleRate) {
      this.#resampler.reset(); // what it holds belongs to the sentence before
    } else {
      this.#underruns += 1;
      this.#depth.ranDry((this.#dryFrames / sampleRate) * RATE);
    }
  }

  /** Leave only what is needed to fade out. */
  #clear() {
    this.#length = Math.min(this.#length, FADE_SAMPLES);
    this.#finished = true;
  }

  #mayBegin(frames) {
    this.#dryFrames += frames;
    if (this.#length === 0) return false;
    const { target } = this.#depth;
    const enough = this.#length >= target || this.#heldFrames * RATE >= target * sampleRate;
    this.#heldFrames += frames;
    if (!enough && !this.#finished) return false;
    this.#playing = true;
    this.#speed = this.#resampler.speed = 1;
    this.#depth.begin(this.#length);
    return true;
  }

  #stop() {
    this.#playing = false;
    this.#gain = 0;
    this.#dryFrames = 0;
  }

  /** Give the resampler what the next `frames` need. */
  #feed(frames) {
    const needed = (frames * this.#speed * RATE) / sampleRate + 2;
    while (this.#length && this.#resampler.waiting < needed) {
      const count = Math.min(BLOCK, this.#length);
      for (let index = 0; index < count; index++) {
        this.#block[index] = this.#ring[(this.#begin + index) % MOST_WAITING];
      }
      this.#begin = (this.#begin + count) % MOST_WAITING;
      this.#length -= count;
      this.#resampler.push(this.#block, count);
    }
  }

  /** In at the beginning, and out while nothing follows: the last sample is silent. */
  #fade(output, end, waiting) {
    const step = 1 / (FADE_S * sampleRate);
    const used = (this.#speed * RATE) / sampleRate;
    for (let index = 0; index < end; index++) {
      const left = waiting - index * used;
      this.#gain = left > FADE_SAMPLES ? Math.min(1, this.#gain + step) : Math.max(0, this.#gain - step);
      output[index] *= this.#gain;
    }
  }

  #report(frames) {
    this.#reported += frames;
    if (this.#reported < sampleRate) return;
    this.#reported = 0;
    this.port.postMessage({
      targetMs: (this.#depth.target / RATE) * 1000,
      waitingMs: (this.#waiting / RATE) * 1000,
      underruns: this.#underruns,
      droppedMs: (this.#dropped / RATE) * 1000,
      speed: this.#speed,
    });
  }
}

registerProcessor("player", Player);
