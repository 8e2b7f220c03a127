/**
 * What a microphone or a tab gives, as the server's WebSocket takes it: mono 16 kHz Int16LE in chunks
 * of 20 ms, at whatever rate the context runs.
 *
 * It posts each chunk as an ArrayBuffer, and once a second {usedShare, dropped}: the share of the
 * audio thread's time that it used, and the chunks since the last post that nobody took. Post the
 * buffers back (transferred) when they were sent; there are so many of them, and no more. Posted
 * "end", it ends.
 *
 * Nothing is allocated while it runs but the messages themselves.
 */
import { Resampler } from "./resampler.js";

const RATE = 16_000;
const CHUNK_SAMPLES = 320;
const BUFFERS = 50;
/** Frames in one call, as long as browsers know no others. */
const QUANTUM = 128;

class Encoder extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #mono = new Float32Array(QUANTUM);
  #chunk = new Float32Array(CHUNK_SAMPLES);
  #filled = 0;
  /** @type {DataView<ArrayBuffer>[]} */
  #free = [];
  /** @type {ArrayBuffer[]} the same list for every post */
  #transfer = [];
  #dropped = 0;
  #usedMs = 0;
  #frames = 0;
  #running = true;

  /**
   * @param {{processorOptions?: {buffers?: number}}} [options]  `buffers`: how many chunks may be on
   *     their way to the network
   */
  constructor({ processorOptions } = {}) {
    super();
    const buffers = processorOptions?.buffers ?? BUFFERS;
    while (this.#free.length < buffers) this.#free.push(new DataView(new ArrayBuffer(2 * CHUNK_SAMPLES)));
    this.port.onmessage = ({ data }) => {
      if (data === "end") this.#running = false;
      else this.#free.push(new DataView(data));
    };
  }

  process([channels]) {
    const began = now();
    const mono = this.#mix(channels);
    this.#resampler.push(mono);
    this.#drain();
    this.#usedMs += now() - began;
    this.#frames += mono.length;
    if (this.#frames >= sampleRate) this.#report();
    return this.#running;
  }

  /** The mean of all channels; silence while nothing is connected. @param {Float32Array[]} channels */
  #mix(channels) {
    const length = channels[0]?.length ?? QUANTUM;
    if (length !== this.#mono.length) this.#mono = new Float32Array(length);
    const mono = this.#mono;
    mono.fill(0);
    for (let channel = 0; channel < channels.length; channel++) {
      const samples = channels[channel];
      for (let index = 0; index < length; index++) mono[index] += samples[index] / channels.length;
    }
    return mono;
  }

  #drain() {
    for (;;) {
      this.#filled = this.#resampler.pull(this.#chunk, this.#filled, CHUNK_SAMPLES);
      if (this.#filled < CHUNK_SAMPLES) return;
      this.#filled = 0;
      if (this.#free.length) this.#post(this.#free.pop());
      else this.#dropped += 1;
    }
  }

  /** @param {DataView<ArrayBuffer>} view */
  #post(view) {
    for (let index = 0; index < CHUNK_SAMPLES; index++) {
      const clipped = Math.max(-1, Math.min(1, this.#chunk[index]));
      view.setInt16(2 * index, Math.round(clipped * 32767), true);
    }
    this.#transfer[0] = view.buffer;
    this.port.postMessage(view.buffer, this.#transfer);
  }

  #report() {
    const usedShare = (this.#usedMs / this.#frames) * (sampleRate / 1000);
    this.port.postMessage({ usedShare, dropped: this.#dropped });
    this.#usedMs = this.#frames = this.#dropped = 0;
  }
}

/** Milliseconds. Whole ones where the audio thread has no finer clock: true on average all the same. */
function now() {
  return globalThis.performance ? performance.now() : Date.now();
}

registerProcessor("encoder", Encoder);
