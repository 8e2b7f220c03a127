/**
 * One session with an interpreter server: a track of speech goes in, translated speech and
 * captions come out. No DOM in here; the page, or any other application, is built on top.
 *
 *     const client = new TranslationClient({ url: "https://interpreter.example/" });
 *     client.addEventListener("track", (event) => (audio.srcObject = event.detail.stream));
 *     client.addEventListener("segment", (event) => show(event.detail));
 *     await client.start(microphoneTrack, { source: "ru", target: "en" });
 *     …
 *     await client.stop();
 *
 * Events (each a CustomEvent): "state" {state, error}, "track" {stream}, "session" (the session
 * object of the protocol), "segment", "playout", "vad", "metrics", "warning", "expiring" (the x.* messages
 * of the protocol as they come), "refused" {code, message} (an error event: the session goes on).
 *
 * @typedef {"idle"|"connecting"|"live"|"interrupted"|"finishing"|"closed"} State
 *
 * @typedef {object} SessionSettings
 * @property {string} source  language that is spoken, ISO 639-1
 * @property {string} target  language to hear
 * @property {{mode: "auto"|"off", hangover_ms?: number}} [vad]  who decides when a phrase ends
 */

const GATHERING_MS = 1000; // host candidates are there in tens of ms; a slow STUN server must not hold us up
const CONNECT_MS = 15000;
const DRAIN_MS = 12000;
const PROBE_MS = 2000;
const EXTENSIONS = ["segment", "playout", "vad", "metrics"];

/** Why a session could not start, or ended. `code` is stable; `message` is the server's sentence. */
export class ClientError extends Error {
  /**
   * @param {string} code  one of: webrtc_missing, server_unreachable, server_busy, unauthorized,
   *     language_unavailable, server_refused, connect_failed, connection_lost, server_gone,
   *     session_ended
   * @param {string} [message]
   */
  constructor(code, message = "") {
    super(message || code);
    this.name = "ClientError";
    this.code = code;
    this.detail = message;
  }

  /** What an error answer (RFC 9457) means to the caller. @param {Response} response */
  static async fromResponse(response) {
    const codes = { 401: "unauthorized", 403: "unauthorized", 422: "language_unavailable" };
    const busy = response.status === 503 || response.status === 429;
    const code = busy ? "server_busy" : (codes[response.status] ?? "server_refused");
    const problem = await response.json().catch(() => ({}));
    return new ClientError(code, problem.detail ?? problem.error?.message ?? "");
  }
}

export class TranslationClient extends EventTarget {
  /** @type {State} */ #state = "idle";
  /** @type {RTCPeerConnection|null} */ #peer = null;
  /** @type {RTCDataChannel|null} */ #channel = null;
  /** @type {string|null} */ #location = null;
  #abort = new AbortController();
  #base;
  #getToken;
  #token = "";

  /**
   * @param {object} [options]
   * @param {string|URL} [options.url]  where the server's page lives
   * @param {string|(() => Promise<string>)} [options.token]  client secret, if the server asks for
   *     one, or a function that fetches one when a call begins
   */
  constructor({ url = globalThis.location?.href, token = "" } = {}) {
    super();
    this.#base = new URL(".", url);
    this.#getToken = typeof token === "function" ? token : async () => token;
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  /**
   * Open the session. Resolves when both directions and the event channel are up.
   *
   * @param {MediaStreamTrack} track  audio; the caller keeps it and ends it
   * @param {SessionSettings} settings
   * @throws {ClientError}
   */
  async start(track, settings) {
    if (this.#state !== "idle") throw new Error("A client serves one session; make another.");
    if (typeof RTCPeerConnection === "undefined") throw this.#end(new ClientError("webrtc_missing"));
    this.#setState("connecting");
    const timer = setTimeout(() => this.#end(new ClientError("connect_failed")), CONNECT_MS);
    try {
      this.#openPeer(track);
      const connected = this.#reached("live");
      connected.catch(() => {}); // its error surfaces through the await below, or the catch
      await this.#peer.setLocalDescription();
      await this.#gathered();
      const answer = await this.#call(settings);
      await this.#peer.setRemoteDescription({ type: "answer", sdp: answer });
      await connected;
    } catch (error) {
      throw this.#end(asClientError(error, this.#abort.signal));
    } finally {
      clearTimeout(timer);
    }
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
      await this.#reached("closed");
      clearTimeout(timer);
    }
    this.#end(null);
  }

  /** Change languages, VAD or voice of the running session. @param {object} settings */
  update(settings) {
    return this.send({ type: "x.session", ...settings });
  }

  /** Send another track instead. @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    await this.#peer.getSenders()[0].replaceTrack(track);
  }

  /** Send one client event. @returns {boolean} whether there was a channel to send it on */
  send(event) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(event));
    return true;
  }

  /** Statistics of the peer connection. @returns {Promise<RTCStatsReport|null>} */
  async stats() {
    return this.#peer ? this.#peer.getStats() : null;
  }

  #openPeer(track) {
    const peer = new RTCPeerConnection();
    this.#peer = peer;
    peer.addTransceiver(track, { direction: "sendrecv", streams: [new MediaStream([track])] });
    peer.addEventListener("track", ({ track: remote, streams }) => {
      this.#emit("track", { stream: streams[0] ?? new MediaStream([remote]) });
    });
    peer.addEventListener("connectionstatechange", () => this.#followPeer());
    const channel = peer.createDataChannel("oai-events");
    this.#channel = channel;
    channel.addEventListener("open", () => this.#followPeer());
    channel.addEventListener("message", ({ data }) => this.#receive(data));
    channel.addEventListener("close", () => {
      this.#end(this.#state === "finishing" ? null : new ClientError("session_ended"));
    });
  }

  #followPeer() {
    const { connectionState } = this.#peer ?? {};
    if (connectionState === "failed") {
      const was = this.#state === "connecting" ? "connect_failed" : "connection_lost";
      this.#end(new ClientError(was));
    } else if (connectionState === "disconnected" && this.#state === "live") {
      this.#setState("interrupted");
      this.#probe();
    } else if (connectionState === "connected" && this.#channel.readyState === "open") {
      if (this.#state !== "finishing") this.#setState("live");
    }
  }

  /** While the media is interrupted: is it the path, or has the server gone? */
  async #probe() {
    while (this.#state === "interrupted") {
      try {
        await fetch(this.#url("healthz"), { cache: "no-store", signal: this.#abort.signal });
      } catch {
        this.#end(new ClientError("server_gone"));
      }
      await new Promise((wake) => setTimeout(wake, PROBE_MS));
    }
  }

  async #gathered() {
    const peer = this.#peer;
    if (peer.iceGatheringState === "complete") return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHERING_MS);
      peer.addEventListener("icegatheringstatechange", () => {
        if (peer.iceGatheringState !== "complete") return;
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Exchange offer and answer. @returns {Promise<string>} the answer */
  async #call({ source, target, vad }) {
    const url = this.#url("v1/realtime/translations/calls");
    url.searchParams.set("source", source);
    url.searchParams.set("target", target);
    const body = new FormData();
    body.append("sdp", this.#peer.localDescription.sdp);
    body.append("session", JSON.stringify({ x_events: EXTENSIONS, ...(vad && { x: { vad } }) }));
    this.#token = await this.#getToken();
    const response = await this.#fetch(url, { method: "POST", body });
    if (!response.ok) throw await ClientError.fromResponse(response);
    this.#location = new URL(response.headers.get("Location"), url).href;
    const answer = await response.text();
    if (this.#state === "closed") this.#hangUp(); // stopped meanwhile: do not leave it open there
    return answer;
  }

  #receive(data) {
    const event = JSON.parse(data);
    switch (event.type) {
      case "session.created":
      case "session.updated":
        return this.#emit("session", event.session);
      case "session.closed":
        this.#location = null; // there is nothing left to hang up
        return this.#end(this.#state === "finishing" ? null : new ClientError("session_ended"));
      case "error":
        return this.#emit("refused", event.error);
      case "x.segment":
      case "x.playout":
      case "x.vad":
      case "x.metrics":
      case "x.warning":
      case "x.expiring":
        return this.#emit(event.type.slice(2), event);
      default: // a newer server may say more than we know
    }
  }

  /** Free everything, once. @returns {ClientError|null} the same error, to throw */
  #end(error) {
    if (this.#state === "closed") return error;
    this.#hangUp();
    this.#abort.abort(error);
    this.#setState("closed", error);
    this.#channel?.close();
    this.#peer?.close();
    this.#channel = this.#peer = null;
    return error;
  }

  /** Tell the server, in a way that survives the page being left. */
  #hangUp() {
    if (!this.#location) return;
    const request = { method: "DELETE", keepalive: true, headers: this.#headers() };
    fetch(this.#location, request).catch(() => {}); // it frees the session by itself, too
    this.#location = null;
  }

  #setState(state, error = null) {
    if (state === this.#state) return;
    this.#state = state;
    this.#emit("state", { state, error });
  }

  /** Resolves at `state`; rejects when the session closes with an error before. */
  #reached(state) {
    return new Promise((resolve, reject) => {
      const follow = ({ detail }) => {
        if (detail.state !== state && detail.state !== "closed") return;
        this.removeEventListener("state", follow);
        if (detail.state === state) resolve();
        else reject(detail.error ?? new ClientError("session_ended"));
      };
      this.addEventListener("state", follow);
    });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #url(path) {
    return new URL(path, this.#base);
  }

  #headers() {
    return this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  async #fetch(url, init) {
    try {
      const signal = this.#abort.signal;
      return await fetch(url, { ...init, headers: this.#headers(), signal });
    } catch (error) {
      throw this.#abort.signal.aborted ? error : new ClientError("server_unreachable");
    }
  }
}

/** The reason we aborted with, if we did; a broken answer counts as a refusal. */
function asClientError(error, signal) {
  if (signal.aborted && signal.reason instanceof ClientError) return signal.reason;
  return error instanceof ClientError ? error : new ClientError("server_refused", String(error));
}
