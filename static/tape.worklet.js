/**
 * Remembers the last half minute of what passes, mono. Posted {from, …}, in seconds of the
 * context's time, it posts the same back with the `samples` since then.
 */
const LENGTH_S = 30;

class Tape extends AudioWorkletProcessor {
  #ring = new Float32Array(LENGTH_S * sampleRate);
  /** First frame that was recorded without a gap after it, and the one after the last. */
  #begin = 0;
  #end = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      const samples = this.#since(Math.round(data.from * sampleRate));
      this.port.postMessage({ ...data, samples }, [samples.buffer]);
    };
  }

  process([input]) {
    const samples = input[0]; // absent while nothing is connected
    if (samples) {
      if (this.#end !== currentFrame) this.#begin = currentFrame;
      const { length } = this.#ring;
      samples.forEach((sample, index) => (this.#ring[(currentFrame + index) % length] = sample));
      this.#end = currentFrame + samples.length;
    }
    return true;
  }

  #since(wanted) {
    const { length } = this.#ring;
    const from = Math.max(wanted, this.#begin, this.#end - length);
    const samples = new Float32Array(Math.max(0, this.#end - from));
    return samples.map((_, index) => this.#ring[(from + index) % length]);
  }
}

registerProcessor("tape", Tape);
