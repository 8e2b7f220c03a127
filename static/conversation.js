/**
 * A session as a person lives it: a source of sound, the interpreter, and what goes on right now.
 * No DOM in here; the page shows what these events say.
 *
 * Events (each a CustomEvent): "phase" {phase, position?}, "level" {rms}, "hearing" {nothing}, "clipping" {clipping}, "stream"
 * {stream}, "segment" and "playout" (as the client's, with `key` naming the segment on this page),
 * "metrics", "mode" {mode?}, "notice" {code?, message}, "expiring" {in_ms, reason}, "renewed", "source"
 * {source}, "source-ended" {kind}.
 *
 * @typedef {"opening"|"connecting"|"waiting"|"listening"|"hearing"|"translating"|"speaking"|"interrupted"|
 *     "finishing"} Phase
 */
import "./backlog.js"; // on its way before the microphone is asked for
import { ClipWatch } from "./clipping.js";
import { TranslationClient } from "./client.js";
import { EarlySpeech } from "./early-speech.js";
import { watchLevel } from "./graph.js";
import { accessToken } from "./server.js";
import { SilenceWatch } from "./silence.js";

const TAIL_MS = 300; // so long the server waits for a last word that the microphone still holds
/** For networks on which one knows better: `?transport=websocket` or `webrtc`. */
const TRANSPORT = /** @type {import("./client.js").ClientOptions["transport"]} */ (
  new URLSearchParams(globalThis.location?.search).get("transport") ?? "auto"
);

export class Conversation extends EventTarget {
  #client = new TranslationClient({ token: accessToken, transport: TRANSPORT, queue: true });
  /** @type {import("./audio.js").Source|null} */ #source = null;
  /** Of two sources only the one chosen last counts, whichever opens first. */ #choice = Symbol();
  /** Whether one is being chosen, */ #choosing = false;
  /** and whether the earlier one went away by itself meanwhile. */ #missed = false;
  /** Whether `run` has come so far that a source begins as soon as it is chosen. */ #begins = false;
  /** What was said while it connected, until that is sent. @type {EarlySpeech|null} */ #early = null;
  #begin;
  /** The last of what is to be said to the server in order; null when all of it is said. */
  #saying = new Promise((begin) => (this.#begin = begin));
  #muted = false;
  #muteTimer = 0;
  #stopMeter = () => {};
  #silence = new SilenceWatch();
  #clips = new ClipWatch();
  #sessionId = "";
  #hearing = false;
  #pending = new Set();
  #speaking = new Set();
  #over;

  constructor() {
    super();
    const on = (type, listener) =>
      this.#client.addEventListener(type, ({ detail }) => listener(detail));
    on("session", ({ id, x }) => {
      this.#enter(id);
      this.#emit("mode", { mode: x?.mode });
    });
    on("waiting", ({ position }) => {
      this.#early?.forget(); // what was said before it is our turn is over by then
      this.#emit("phase", { phase: "waiting", position });
    });
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
    on("expiring", (event) => this.#emit("expiring", event));
    on("refused", ({ code, message }) => this.#emit("notice", { code, message }));
    this.#say(() => {}); // so that later ones need not wait
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
   * @param {{keepSpeech: boolean}} how  whether what a microphone hears while it connects counts
   * @throws {import("./client.js").ClientError|DOMException}
   */
  async run(open, settings, { keepSpeech }) {
    const early = keepSpeech ? new EarlySpeech() : null;
    try {
      this.#emit("phase", { phase: "opening" });
      const opened = await open().catch((error) => {
        if (this.#source) return null; // another was chosen meanwhile
        throw error;
      });
      await early?.prepared();
      if (this.#client.state === "closed") return opened?.close(); // stopped while the browser asked
      if (this.#source) opened?.close();
      else this.#adopt(opened);
      const { kind, track } = this.#source;
      if (kind === "microphone") this.#early = early;
      await this.#client.start(this.#early?.listen(track) ?? track, settings);
      this.#begin(); // what was to be said goes out before the sound that it is about
      this.#early?.catchUp(() => this.#client.replaceTrack(this.#source.track));
      await this.#listen();
      await this.#over;
    } catch (error) {
      if (error.name !== "AbortError" || this.#client.state !== "closed") throw error;
    } finally {
      this.#client.stop({ drain: false });
      early?.close();
      clearTimeout(this.#muteTimer);
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

  /** Whether it is connected, and not about to end. */
  get live() {
    return this.#client.state === "live";
  }

  get #isEnding() {
    return ["finishing", "closed"].includes(this.#client.state);
  }

  /** Change languages or VAD without a new connection, or as soon as there is one. @param {object} settings as x.session */
  update(settings) {
    this.#say(() => this.#isEnding || this.#client.update(settings));
  }

  /** Whether the microphone is silent. @param {boolean} muted */
  set muted(muted) {
    clearTimeout(this.#muteTimer);
    if (!muted || !this.#source) this.#mute(muted);
    else this.#muteTimer = setTimeout(() => this.#mute(true), TAIL_MS);
  }

  /** Listen to another source, also while it connects. @param {() => Promise<import("./audio.js").Source>} open */
  async changeSource(open) {
    if (this.#isEnding) return;
    const choice = (this.#choice = Symbol());
    this.#choosing = true;
    const isOld = () => this.#isEnding || choice !== this.#choice;
    const source = await open().catch((error) => {
      if (isOld()) return null; // nobody waits for it any more
      this.#choosing = false;
      if (!this.#missed) throw error;
      this.#tellEnded(); // which says more
      return null;
    });
    if (!source || isOld()) return source?.close();
    this.#choosing = false;
    const old = this.#source;
    const begins = this.#begins;
    this.#adopt(source);
    await this.#client.replaceTrack(source.track);
    this.#early?.close();
    old?.close();
    if (begins && source === this.#source) await this.#listen(); // else `run`, or the later choice, does
  }

  /** Push-to-talk. @param {boolean} pressed */
  talk(pressed) {
    if (!pressed) return this.commit();
    this.#say(() => this.#client.send({ type: "x.input.start" }));
  }

  /** What was said so far is a whole phrase; the server waits for the end of its last word. */
  commit() {
    this.#say(() => this.#client.send({ type: "x.input.commit" }), this.#early?.passed());
  }

  /** Have a phrase of the phrasebook translated and spoken. @param {string} text */
  speak(text) {
    this.#say(() => this.#client.send({ type: "x.say", text }));
  }

  /** Stop speaking now, and forget what waits to be spoken. */
  clear() {
    this.#client.send({ type: "x.output.clear" });
  }

  /** Statistics of the connection. */
  stats() {
    return this.#client.stats();
  }

  /** Say things in the order of the calls, when the call is up and `sent` has come to pass. */
  #say(act, sent) {
    if (!this.#saying && !sent) return act();
    const saying = Promise.all([this.#saying, sent]).then(act);
    this.#saying = saying;
    saying.then(() => this.#saying === saying && (this.#saying = null));
  }

  #mute(muted) {
    this.#muted = muted;
    if (this.#source?.kind === "microphone") this.#source.track.enabled = !muted;
  }

  #adopt(source) {
    this.#source = source;
    this.#mute(this.#muted);
    this.#missed = false;
    source.track.addEventListener("ended", () => {
      if (source === this.#source) this.#tellEnded();
    });
    this.#emit("source", { source });
  }

  /** Tell that the source went away by itself, unless another is being chosen. */
  #tellEnded() {
    this.#missed = this.#choosing;
    if (!this.#missed && !this.#isEnding) this.#emit("source-ended", { kind: this.#source.kind });
  }

  /** Begin to listen to the source, with its level shown, unless another is chosen meanwhile. */
  async #listen() {
    const source = this.#source;
    this.#begins = true;
    this.#stopMeter();
    await this.#meter();
    if (source === this.#source) source.begin();
  }

  async #meter() {
    const { track } = this.#source;
    const stop = await watchLevel(track, (rms, peak) => {
      this.#emit("level", { rms });
      if (this.#muted) return;
      const isOpen = this.#source.kind === "microphone";
      const clipping = isOpen ? this.#clips.push(peak, performance.now()) : null;
      if (clipping !== null) this.#emit("clipping", { clipping });
      const nothing = this.#silence.push(rms, performance.now());
      if (nothing !== null) this.#emit("hearing", { nothing });
    });
    if (track !== this.#source.track) stop(); // another was chosen meanwhile
    else this.#stopMeter = stop;
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
    if (event.state === "skipped") return this.#emit("playout", { ...event, key }); // it goes on
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
