import { Api } from "./api.js";
import { Backoff } from "./backoff.js";
import { Comeback } from "./comeback.js";
import { Connector } from "./connector.js";
import { asClientError, endedBy, lost } from "./errors.js";
import { Turn } from "./turn.js";

const WEAK_MS = 3000; // a gap in the network that WebRTC gets over by itself
const PATIENCE_MS = 60000;
const DRAIN_MS = 12000;
const EXTENSIONS = ["segment", "playout", "vad", "metrics"];

/**
 * One session with an interpreter server: a track of speech goes in, translated speech and
 * captions come out. `attachTranslation` is the easy way to it.
 *
 *     const client = new TranslationClient({ url: "https://interpreter.example/" });
 *     client.addEventListener("track", (event) => (audio.srcObject = event.detail.stream));
 *     client.addEventListener("segment", (event) => show(event.detail));
 *     await client.start(microphoneTrack, { source: "ru", target: "en" });
 *     …
 *     await client.stop();
 *
 * When the connection dies it is made again by itself, with the same session where the server still
 * has it, and "track" comes again.
 *
 * Events (each a CustomEvent): "state" {state, error}, "track" {stream}, "session" (the session
 * object of the protocol; another `id` when the server had forgotten the old session), "segment",
 * "playout", "vad", "metrics", "warning", "expiring" (the x.* messages of the protocol as they
 * come), "refused" {code, message} (an error event: the session goes on), "waiting" {position} (in line).
 *
 * @typedef {"idle"|"connecting"|"live"|"reconnecting"|"finishing"|"closed"} State
 *
 * @typedef {object} SessionSettings
 * @property {string} source  language that is spoken, ISO 639-1
 * @property {string} target  language to hear
 * @property {{mode: "auto"|"off", hangover_ms?: number}} [vad]  who decides when a phrase ends
 * @property {string} [voice]
 * @property {string} [engine]
 * @property {"fast"|"balanced"|"accurate"|"consecutive"} [mode]  when speech is translated
 */
export class TranslationClient extends EventTarget {
  /** @type {State} */ #state = "idle";
  #connector;
  #patienceMs;
  #turn;
  /** Whether the link has opened, and is not lost. */ #up = false;
  #weakTimer = 0;
  /** @type {MediaStreamTrack|null} */ #track = null;
  /** As in x.session. */ #settings = {};
  /** The track with which the link was opened, the settings that the server has for sure. */
  #opened = { track: this.#track, settings: this.#settings };
  #sessionId = "";
  #lastSeq = 0;
  /** Why the server closes the session, once it does. @type {"limit"|"idle"|"restart"|""} */ #closing = "";
  /** While it is being made again. @type {Comeback|null} */ #comeback = null;

  /**
   * @param {object} [options]
   * @param {string|URL} [options.url]  where the server's page lives
   * @param {import("./token.js").Token|(() => import("./token.js").Token|Promise<import("./token.js").Token>)}
   *     [options.token]  a client secret, if the server asks for one; the whole answer of
   *     `client_secrets`, which tells ICE servers too; or a function that fetches either
   * @param {"auto"|"webrtc"|"websocket"} [options.transport]  `auto`: a WebSocket where WebRTC is
   *     missing or has not connected within 8 s
   * @param {RTCIceServer[]} [options.iceServers]  instead of those that the server names
   * @param {RTCIceTransportPolicy} [options.iceTransportPolicy]
   * @param {number} [options.patienceMs]  how long to try to get a lost connection back
   * @param {boolean} [options.queue]  whether to wait in line where the server is full
   */
  constructor({
    url = globalThis.location?.href,
    token = "",
    transport = "auto",
    iceServers,
    iceTransportPolicy,
    patienceMs = PATIENCE_MS,
    queue = false,
  } = {}) {
    super();
    this.#turn = new Turn(queue);
    const api = new Api(url, this.#turn.keep(token), { iceServers, iceTransportPolicy });
    this.#connector = new Connector(api, transport, {
      begin: (...opening) => this.#begin(...opening),
      isOver: () => this.#state === "closed",
    });
    this.#patienceMs = patienceMs;
  }

  get #link() {
    return this.#connector.link;
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  /**
   * Open the session. Resolves when both directions and the events are up.
   *
   * @param {MediaStreamTrack} track  audio; the caller keeps it and ends it
   * @param {SessionSettings} settings
   * @throws {import("./errors.js").ClientError}
   * @throws {DOMException}  AbortError, when it was stopped meanwhile
   */
  async start(track, { source, target, ...settings }) {
    if (this.#state !== "idle") throw new Error("A client serves one session; make another.");
    this.#track = track;
    this.#settings = { source_language: source, target_language: target, ...settings };
    this.#setState("connecting");
    try {
      await this.#turn.take(() => this.#connect(null), this);
    } catch (error) {
      if (this.state === "closed") throw new DOMException("The session was stopped.", "AbortError");
      throw this.#end(asClientError(error));
    }
    this.#setState("live");
  }

  /**
   * End the session. With `drain`, what was said is still translated and spoken first.
   *
   * @param {{drain?: boolean}} [how]
   */
  async stop({ drain = true } = {}) {
    if (drain && this.#state === "live" && this.send({ type: "session.close" })) {
      this.#setState("finishing");
      const timer = setTimeout(() => this.#end(null), DRAIN_MS);
      await new Promise((resolve) => {
        this.addEventListener("state", resolve, { once: true }); // only "closed" comes after this
      });
      clearTimeout(timer);
    }
    this.#end(null);
  }

  /**
   * Change languages, VAD or voice of the running session, also while its connection is lost.
   *
   * @param {object} settings  as x.session
   */
  update(settings) {
    this.#settings = { ...this.#settings, ...settings };
    return this.send({ type: "x.session", ...settings });
  }

  /** Send another track instead. @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    this.#track = track;
    if (this.#up) await this.#link.replaceTrack(track);
  }

  /** Send one client event. @returns {boolean} whether there was a connection to send it on */
  send(event) {
    return this.#up && this.#link.send(event);
  }

  /** Statistics of the peer connection. @returns {Promise<RTCStatsReport|null>} */
  async stats() {
    return this.#up ? this.#link.stats() : null;
  }

  /** @param {{location: string, token: string}|null} address  of the session to resume */
  async #connect(address) {
    await this.#connector.connect(address);
    this.#up = true;
    if (this.#track !== this.#opened.track) await this.#link.replaceTrack(this.#track);
    if (this.#settings !== this.#opened.settings) this.send({ type: "x.session", ...this.#settings });
    this.#opened.settings = this.#settings;
  }

  /** A link is about to be opened. @param {import("./link.js").Link} link  @param {boolean} resumes  and tells no settings */
  #begin(link, resumes) {
    this.#follow(link);
    this.#opened = { track: this.#track, settings: resumes ? this.#opened.settings : this.#settings };
    return { track: this.#track, request: this.#request(), lastSeq: this.#lastSeq };
  }

  #request() {
    const { source_language: source, target_language: target, ...x } = this.#settings;
    return { source, target, session: { x_events: EXTENSIONS, x }, queue: this.#turn.ticket };
  }

  #follow(link) {
    const on = (type, act) =>
      link.addEventListener(type, ({ detail }) => link === this.#link && act(detail));
    on("stream", ({ stream }) => this.#emit("track", { stream }));
    on("message", ({ event }) => this.#receive(event));
    on("weak", () => this.#weaken());
    on("well", () => this.#recover());
    on("down", () => this.#lose());
  }

  /** Nothing arrives: it may come back by itself. */
  #weaken() {
    if (!this.#up || this.#state !== "live") return;
    this.#setState("reconnecting");
    this.#weakTimer = setTimeout(() => this.#lose(), WEAK_MS);
  }

  #recover() {
    clearTimeout(this.#weakTimer);
    if (this.#up && this.#state === "reconnecting") this.#setState("live");
  }

  #lose() {
    if (!this.#up) return; // while it is being opened, `open` tells
    this.#up = false;
    clearTimeout(this.#weakTimer);
    if (this.#state === "finishing") this.#end(null);
    else this.#reconnect();
  }

  async #reconnect() {
    this.#setState("reconnecting");
    let backoff = new Backoff(performance.now(), this.#patienceMs);
    this.#comeback = new Comeback();
    const dead = this.#link; // closing it before another is there would end the session
    while (this.#state === "reconnecting") {
      const { address } = this.#link;
      try {
        await this.#connect(address);
        if (this.#state === "reconnecting") this.#setState("live");
      } catch (failure) {
        const error = asClientError(failure);
        if (!error.retryable && address) {
          this.#link.address = null; // the server knows the session no more: open another
          continue;
        }
        const waitMs = error.retryable ? backoff.next(performance.now(), error.retryAfterMs) : null;
        if (waitMs === null) this.#end(error.retryable ? lost(error) : error);
        else if (await this.#comeback.within(waitMs)) {
          backoff = new Backoff(performance.now(), this.#patienceMs);
        }
      }
    }
    this.#comeback.close();
    dead.close();
  }

  #receive(event) {
    if ("seq" in event) {
      if (event.seq <= this.#lastSeq) return; // said again after the connection was lost
      this.#lastSeq = event.seq;
    }
    switch (event.type) {
      case "session.created":
        this.#lastSeq = event.session.id === this.#sessionId ? this.#lastSeq : 0;
        this.#sessionId = event.session.id;
        return this.#emit("session", event.session);
      case "session.updated":
        if (this.#state === "live") this.#opened.settings = this.#settings; // else it resumes
        return this.#emit("session", event.session);
      case "session.closed":
        this.#link.address = null; // there is nothing left to hang up
        if (this.#closing === "restart") return this.#moveOn();
        return this.#end(this.#state === "finishing" ? null : endedBy(this.#closing));
      case "error":
        return this.#emit("refused", event.error);
      case "x.segment":
      case "x.playout":
      case "x.vad":
      case "x.metrics":
      case "x.warning":
        return this.#emit(event.type.slice(2), event);
      case "x.expiring":
        if (event.in_ms === 0) this.#closing = event.reason;
        return this.#emit(event.type.slice(2), event);
      default: // a newer server may say more than we know
    }
  }

  /** The server stops: another one, or the same when it is back, goes on in a session of its own. */
  #moveOn() {
    this.#closing = "";
    this.#lose();
  }

  /** Free everything, once. @returns {import("./errors.js").ClientError|null} the same error, to throw */
  #end(error) {
    if (this.#state === "closed") return error;
    clearTimeout(this.#weakTimer);
    this.#up = false;
    this.#setState("closed", error);
    this.#link?.hangUp();
    this.#comeback?.close();
    return error;
  }

  #setState(state, error = null) {
    if (state === this.#state) return;
    this.#state = state;
    this.#emit("state", { state, error });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
