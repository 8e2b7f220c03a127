/** What one hears of a session, and the controls that stop and repeat it. */
import { find } from "./dom.js";
import { LevelMeter } from "./meter.js";
import { Output } from "./output.js";

export class Sound {
  #output = new Output(find("#output", HTMLAudioElement), find("#local", HTMLAudioElement));
  #meter = find("#output-meter", LevelMeter);
  #hush = find("#hush", HTMLButtonElement);
  #replay = find("#replay", HTMLButtonElement);
  #settings;
  #problems;
  /** Segments that are being spoken or wait for it. */
  #waiting = new Set();

  /**
   * @param {import("./settings.js").Settings} settings
   * @param {import("./problems.js").ProblemBar} problems
   * @param {() => void} clear  has the session forget what waits to be spoken
   */
  constructor(settings, problems, clear) {
    this.#settings = settings;
    this.#problems = problems;
    settings.output = this.#output;
    this.#output.addEventListener("change", () => this.#render());
    this.#output.addEventListener("level", (/** @type {CustomEvent} */ { detail }) => {
      this.#meter.push(detail.rms);
    });
    this.#replay.addEventListener("click", () => this.#output.replay());
    this.#hush.addEventListener("click", () => {
      this.#output.stopReplay();
      clear();
    });
  }

  /** @param {MediaStream} stream */
  async play(stream) {
    try {
      await this.#output.play(stream);
    } catch (error) {
      if (error.name !== "NotAllowedError") return; // the session ended before it began
      this.#problems.show("playback_blocked", { retry: () => this.play(stream) });
    }
  }

  /** Play the original under the translation, where that is wanted. */
  underlay() {
    const track = this.#settings.underlay ? this.#settings.source.track : null;
    this.#output.underlay(track).catch(() => {}); // its worklets did not come: no original then
  }

  /** Take an x.playout event that tells where a segment's speech is. */
  playout(event) {
    this.#output.playout(event);
    if (event.state === "queued" || event.state === "started") this.#waiting.add(event.key);
    else this.#waiting.delete(event.key);
    this.#render();
  }

  /** What waited to be spoken will not be. */
  forget() {
    this.#waiting.clear();
    this.#render();
  }

  /** The session is over. */
  stop() {
    this.#output.stop();
    this.#meter.reset();
    this.forget();
  }

  #render() {
    this.#hush.disabled = this.#waiting.size === 0 && !this.#output.replaying;
    this.#replay.disabled = !this.#output.replayable;
  }
}
