/** A session over a WebSocket, for networks where UDP does not pass. */
import { ClientError } from "./errors.js";
import { hangUp } from "./negotiation.js";
import { Outbox } from "./outbox.js";
import { WorkletAudio } from "./worklet-audio.js";

const WEAK_MS = 3000; // the server says something every second
const TAIL_MS = 300; // what microphone and worklets hold back of what was said before a release
const SLOW = "The network is slow: part of what was said could not be sent.";

/** A `Link`; see link.js. */
export class WebSocketLink extends EventTarget {
  /** @type {{location: string, token: string}|null} */ address = null;
  #api;
  #abort = new AbortController();
  /** @type {WorkletAudio|null} */ #audio = null;
  /** @type {WebSocket|null} */ #socket = null;
  /** @type {Outbox|null} */ #outbox = null;
  #heardAt = 0;
  #weak = false;
  #told = false;

  /** @param {import("./api.js").Api} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {import("./link.js").CallRequest} request
   * @param {import("./link.js").SessionAddress|null} [address]
   */
  async open(track, { source, target, session, queue }, address = null) {
    if (typeof AudioWorkletNode === "undefined") throw new ClientError("worklet_missing");
    this.address = address && { location: address.location, token: address.token };
    const token = address ? address.token : await this.#api.token();
    const url = this.#api.url("ws/audio");
    const query = address
      ? { resume: address.location.split("/").pop(), last_seq: String(address.lastSeq) }
      : { source, target, ...(queue && { queue }) };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    this.#audio = await WorkletAudio.make((chunk) => this.#send(chunk));
    if (this.#abort.signal.aborted) this.#audio.close();
    this.#abort.signal.throwIfAborted();
    await this.#connect(url, token);
    this.#outbox = new Outbox(this.#socket, (chunk) => this.#audio.recycle(chunk));
    if (!address) this.#outbox.put(JSON.stringify({ type: "session.update", session }));
    this.#audio.listen(track);
    this.#emit("stream", { stream: this.#audio.stream });
  }

  /** @param {object} event */
  send(event) {
    if (!this.#outbox || this.#socket.readyState !== WebSocket.OPEN) return false;
    if (event.type === "x.output.clear") this.#audio.clear();
    const isRelease = event.type === "x.input.commit";
    this.#outbox.put(JSON.stringify(isRelease ? { tail_ms: TAIL_MS, ...event } : event));
    return true;
  }

  /** @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    this.#audio?.listen(track);
  }

  async stats() {
    return null;
  }

  /** What the worklets told last, for whoever measures. */
  get reports() {
    return this.#audio?.reports ?? null;
  }

  close(error = new ClientError("session_ended")) {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(error);
    this.#socket?.close(1000);
    this.#audio?.close();
  }

  /** A connection that closes in order ends its session; one that is dead cannot. */
  hangUp(error) {
    if (this.address && this.#socket?.readyState !== WebSocket.OPEN) hangUp(this.#api, this.address);
    this.address = null;
    this.close(error);
  }

  // ------------------------------------------------------------------ the socket

  /** Resolves at the server's first word. */
  async #connect(url, token) {
    const address = new URL(url);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    // A browser's WebSocket cannot send a header, and a secret must not stand in a URL.
    const protocols = token ? ["realtime", `openai-insecure-api-key.${token}`] : [];
    const socket = new WebSocket(address, protocols);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    const { signal } = this.#abort;
    const opened = await new Promise((resolve) => {
      socket.addEventListener("message", ({ data }) => {
        this.#receive(data, token);
        resolve(true);
      });
      socket.addEventListener("close", () => {
        resolve(false);
        this.#emit("down", { error: new ClientError("connection_lost") });
      });
      signal.addEventListener("abort", () => resolve(false));
    });
    signal.throwIfAborted();
    if (!opened) throw await this.#refusal(url, token);
  }

  /** A WebSocket does not tell why it was refused; the same address, asked over HTTP, does. */
  async #refusal(url, token) {
    try {
      await this.#api.fetch(url, { token, signal: this.#abort.signal });
    } catch (error) {
      if (error.status !== 400) return error;
    }
    return new ClientError("connect_failed");
  }

  #receive(data, token) {
    this.#heardAt = performance.now();
    this.#setWeak(false);
    if (typeof data !== "string") return this.#audio.play(data);
    const event = JSON.parse(data);
    if (event.type === "session.created") {
      const { href } = this.#api.url(`v1/realtime/translations/calls/${event.session.id}`);
      this.address = { location: href, token };
    }
    if (event.type === "x.playout" && event.state === "finished") this.#audio.finishSentence();
    this.#emit("message", { event });
  }

  /** 20 ms of what was said. It is also the clock by which we see that nobody answers. */
  #send(chunk) {
    if (!this.#outbox || this.#socket.readyState !== WebSocket.OPEN) {
      this.#audio?.recycle(chunk);
      return;
    }
    const { dropped } = this.#outbox;
    this.#outbox.put(chunk);
    if (this.#outbox.isEmpty) this.#told = false;
    else if (this.#outbox.dropped > dropped && !this.#told) {
      this.#told = true;
      this.#emit("message", { event: { type: "x.warning", code: "slow_network", message: SLOW } });
    }
    this.#setWeak(performance.now() - this.#heardAt > WEAK_MS);
  }

  #setWeak(weak) {
    if (weak === this.#weak) return;
    this.#weak = weak;
    this.#emit(weak ? "weak" : "well");
  }

  #emit(type, detail) {
    if (this.#abort.signal.aborted) return;
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
