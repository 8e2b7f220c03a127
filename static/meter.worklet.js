/**
 * Measures loudness on the audio thread and posts it 30 times a second, no more than a page can
 * draw: {rms, peak} of what passed since the last post, 0 to 1 each. Posted anything, it ends.
 */
const POSTS_PER_SECOND = 30;

class Meter extends AudioWorkletProcessor {
  #sum = 0;
  #peak = 0;
  #count = 0;
  #running = true;

  constructor() {
    super();
    this.port.onmessage = () => (this.#running = false);
  }

  process([input]) {
    const samples = input[0]; // absent while nothing is connected
    if (samples) {
      for (const sample of samples) {
        this.#sum += sample * sample;
        this.#peak = Math.max(this.#peak, Math.abs(sample));
      }
      this.#count += samples.length;
      if (this.#count >= sampleRate / POSTS_PER_SECOND) {
        this.port.postMessage({ rms: Math.sqrt(this.#sum / this.#count), peak: this.#peak });
        this.#sum = this.#peak = this.#count = 0;
      }
    }
    return this.#running;
  }
}

registerProcessor("meter", Meter);
