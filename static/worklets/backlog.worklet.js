/**
 * A `DelayLine` on the audio thread. Posted "release", it lets out what it holds; posted "forget", only
 * what comes after; posted a number,
 * it posts it back when all that it had been given by then is out; posted "end", it ends. It posts
 * "live" once there is nothing left to catch up with.
 */
import { DelayLine } from "./delay-line.js";

const LIVE_S = 0.03;

class Backlog extends AudioWorkletProcessor {
  #line = new DelayLine(sampleRate);
  /** @type {{name: number, at: number}[]} */ #marks = [];
  #released = false;
  #running = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data === "end") this.#running = false;
      else if (data === "release") this.#release();
      else if (data === "forget") this.#line.forget();
      else this.#marks.push({ name: data, at: this.#line.written });
    };
  }

  process([[samples]], [[out]]) {
    if (samples) this.#line.push(samples); // absent while nothing is connected
    this.#line.pull(out);
    while (this.#marks.length && this.#marks[0].at <= this.#line.read) {
      this.port.postMessage(this.#marks.shift().name);
    }
    if (this.#released && this.#line.written - this.#line.read < LIVE_S * sampleRate) {
      this.#released = false; // told once
      this.port.postMessage("live");
    }
    return this.#running;
  }

  #release() {
    this.#released = true;
    this.#line.release();
  }
}

registerProcessor("backlog", Backlog);
