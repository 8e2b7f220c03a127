/**
 * A session as a person lives it: a source of sound, the interpreter, and what goes on right now.
 * No DOM in here; the page shows what these events say.
 *
 * Events (each a CustomEvent): "phase" {phase}, "level" {rms}, "hearing" {nothing}, "stream"
 * {stream}, "segment" and "playout" (as the client's, with `key` naming the segment on this page),
 * "metrics", "notice" {message}, "expiring", "source-ended".
 *
 * @typedef {"opening"|"connecting"|"listening"|"hearing"|"translating"|"speaking"|"interrupted"|
 *     "finishing"} Phase
 */
import { watchLevel } from "./audio.js";
import { TranslationClient } from "./client.js";
import { accessToken } from "./server.js";
import { SilenceWatch } from "./silence.js";

export class Conversation extends EventTarget {
  #client = new TranslationClient({ token: accessToken });
  /** @type {MediaStreamTrack|null} */ #track = null;
  #stopMeter = () => {};
  #silence = new SilenceWatch();
  #sessionId = "";
  #hearing = false;
  #pending = new Set();
  #speaking = new Set();
  #over;

  constructor() {
    super();
    const on = (type, listener) =>
      this.#client.addEventListener(type, ({ detail }) => listener(detail));
    on("session", ({ id }) => (this.#sessionId = id));
    on("track", ({ stream }) => this.#emit("stream", { stream }));
    on("vad", ({ state }) => {
      this.#hearing = state === "speech";
      this.#silence.speechHeard();
      this.#showActivity();
    });
    on("segment", (event) => this.#followSegment(event));
    on("playout", (event) => this.#followPlayout(event));
    on("metrics", (event) => this.#emit("metrics", event));
    on("warning", ({ message }) => this.#emit("notice", { message }));
    on("expiring", () => this.#emit("expiring", {}));
    on("refused", ({ message }) => this.#emit("notice", { message }));
    this.#over = new Promise((resolve, reject) => {
      on("state", ({ state, error }) => {
        if (state === "live") this.#showActivity();
        else if (state === "closed") error ? reject(error) : resolve();
        else this.#emit("phase", { phase: state });
        if (state === "finishing") this.#track.enabled = false;
      });
    });
    this.#over.catch(() => {}); // when it fails before it was live, `run` throws the same error
  }

  /**
   * Open the source and the session; resolves when it was ended in peace.
   *
   * @param {() => Promise<MediaStreamTrack>} open
   * @param {import("./client.js").SessionSettings} settings
   * @throws {import("./client.js").ClientError|DOMException}
   */
  async run(open, settings) {
    try {
      this.#emit("phase", { phase: "opening" });
      const track = await open();
      if (this.#client.state === "closed") return track.stop(); // stopped while the browser asked
      this.#adopt(track);
      await this.#client.start(track, settings);
      await this.#meter();
      await this.#over;
    } finally {
      this.#client.stop({ drain: false });
      this.#track?.stop();
      await this.#stopMeter();
    }
  }

  /** Speak what is pending, then end; called again, end at once. */
  async stop() {
    await this.#client.stop({ drain: this.#client.state === "live" });
  }

  /** End at once: the page is being left. */
  abandon() {
    this.#client.stop({ drain: false });
  }

  /** Whether settings and sources can be changed now. */
  get live() {
    return this.#client.state === "live";
  }

  /** Change languages or VAD without a new connection. @param {object} settings as x.session */
  update(settings) {
    this.#client.update(settings);
  }

  /** Listen to another source. @param {() => Promise<MediaStreamTrack>} open */
  async changeSource(open) {
    const track = await open();
    if (!this.live) return track.stop();
    const old = this.#track;
    this.#adopt(track);
    await this.#client.replaceTrack(track);
    old.stop();
    await this.#stopMeter();
    await this.#meter();
  }

  /** Push-to-talk. @param {boolean} pressed */
  talk(pressed) {
    this.#client.send({ type: pressed ? "x.input.start" : "x.input.commit" });
  }

  /** Stop speaking now, and forget what waits to be spoken. */
  clear() {
    this.#client.send({ type: "x.output.clear" });
  }

  /** Statistics of the connection. */
  stats() {
    return this.#client.stats();
  }

  #adopt(track) {
    this.#track = track;
    track.addEventListener("ended", () => {
      if (track === this.#track) this.#emit("source-ended", {});
    });
  }

  async #meter() {
    this.#stopMeter = await watchLevel(this.#track, (rms) => {
      this.#emit("level", { rms });
      const nothing = this.#silence.push(rms, performance.now());
      if (nothing !== null) this.#emit("hearing", { nothing });
    });
  }

  #followSegment(event) {
    const key = this.#key(event);
    if (event.final) this.#pending.delete(key);
    else this.#pending.add(key);
    this.#emit("segment", { ...event, key });
    this.#showActivity();
  }

  #followPlayout(event) {
    const key = this.#key(event);
    if (event.state === "started") this.#speaking.add(key);
    else this.#speaking.delete(key);
    this.#emit("playout", { ...event, key });
    this.#showActivity();
  }

  /** Segment ids are only unique within a session. */
  #key({ segment_id: id }) {
    return `${this.#sessionId}/${id}`;
  }

  #showActivity() {
    if (!this.live) return;
    const quiet = this.#pending.size ? "translating" : "listening";
    const phase = this.#hearing ? "hearing" : this.#speaking.size ? "speaking" : quiet;
    this.#emit("phase", { phase });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
