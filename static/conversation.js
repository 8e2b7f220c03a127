/**
 * A session as a person lives it: a source of sound, the interpreter, and what goes on right now.
 * No DOM in here; the page shows what these events say.
 *
 * Events (each a CustomEvent): "phase" {phase}, "level" {rms}, "hearing" {nothing}, "stream"
 * {stream}, "segment" and "playout" (as the client's, with `key` naming the segment on this page),
 * "metrics", "notice" {code?, message}, "expiring", "renewed", "source" {source}, "source-ended" {kind}.
 *
 * @typedef {"opening"|"connecting"|"listening"|"hearing"|"translating"|"speaking"|"interrupted"|
 *     "finishing"} Phase
 */
import { TranslationClient } from "./client.js";
import { watchLevel } from "./graph.js";
import { accessToken } from "./server.js";
import { SilenceWatch } from "./silence.js";

/** For networks on which one knows better: `?transport=websocket` or `webrtc`. */
const TRANSPORT = new URLSearchParams(globalThis.location?.search).get("transport") ?? "auto";

export class Conversation extends EventTarget {
  #client = new TranslationClient({ token: accessToken, transport: TRANSPORT });
  /** @type {import("./audio.js").Source|null} */ #source = null;
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
    on("session", ({ id }) => this.#enter(id));
    on("track", ({ stream }) => this.#emit("stream", { stream }));
    on("vad", ({ state }) => {
      this.#hearing = state === "speech";
      this.#silence.speechHeard();
      this.#showActivity();
    });
    on("segment", (event) => this.#followSegment(event));
    on("playout", (event) => this.#followPlayout(event));
    on("metrics", (event) => this.#emit("metrics", event));
    on("warning", ({ code, message }) => this.#emit("notice", { code, message }));
    on("expiring", () => this.#emit("expiring", {}));
    on("refused", ({ message }) => this.#emit("notice", { message }));
    this.#over = new Promise((resolve, reject) => {
      on("state", ({ state, error }) => {
        if (state === "live") this.#showActivity();
        else if (state === "closed") error ? reject(error) : resolve();
        else this.#emit("phase", { phase: state === "reconnecting" ? "interrupted" : state });
        if (state === "finishing") this.#source.track.enabled = false;
      });
    });
    this.#over.catch(() => {}); // when it fails before it was live, `run` throws the same error
  }

  /**
   * Open the source and the session; resolves when it was ended in peace.
   *
   * @param {() => Promise<import("./audio.js").Source>} open
   * @param {import("./client.js").SessionSettings} settings
   * @throws {import("./client.js").ClientError|DOMException}
   */
  async run(open, settings) {
    try {
      this.#emit("phase", { phase: "opening" });
      const source = await open();
      if (this.#client.state === "closed") return source.close(); // stopped while the browser asked
      this.#adopt(source);
      await this.#client.start(source.track, settings);
      await this.#meter();
      source.begin();
      await this.#over;
    } catch (error) {
      if (error.name !== "AbortError" || this.#client.state !== "closed") throw error;
    } finally {
      this.#client.stop({ drain: false });
      this.#source?.close();
      this.#stopMeter();
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

  /** Listen to another source. @param {() => Promise<import("./audio.js").Source>} open */
  async changeSource(open) {
    const source = await open();
    if (!this.live) return source.close();
    const old = this.#source;
    this.#adopt(source);
    await this.#client.replaceTrack(source.track);
    old.close();
    this.#stopMeter();
    await this.#meter();
    source.begin();
  }

  /** Push-to-talk. @param {boolean} pressed */
  talk(pressed) {
    this.#client.send({ type: pressed ? "x.input.start" : "x.input.commit" });
  }

  /** What was said so far is a whole phrase. */
  commit() {
    this.#client.send({ type: "x.input.commit" });
  }

  /** Stop speaking now, and forget what waits to be spoken. */
  clear() {
    this.#client.send({ type: "x.output.clear" });
  }

  /** Statistics of the connection. */
  stats() {
    return this.#client.stats();
  }

  #adopt(source) {
    this.#source = source;
    source.track.addEventListener("ended", () => {
      if (source === this.#source) this.#emit("source-ended", { kind: source.kind });
    });
    this.#emit("source", { source });
  }

  async #meter() {
    this.#stopMeter = await watchLevel(this.#source.track, (rms) => {
      this.#emit("level", { rms });
      const nothing = this.#silence.push(rms, performance.now());
      if (nothing !== null) this.#emit("hearing", { nothing });
    });
  }

  /** After a reconnection the server may have forgotten the session, and what was unfinished. */
  #enter(id) {
    if (id === this.#sessionId) return;
    if (this.#sessionId) this.#emit("renewed", {});
    this.#sessionId = id;
    this.#pending.clear();
    this.#speaking.clear();
    this.#hearing = false;
    this.#showActivity();
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
