/** A session over WebRTC: one offer by HTTP, audio both ways, events on a data channel. */
import { ClientError } from "./errors.js";
import { hangUp, makeOffer, serversOf } from "./negotiation.js";

/** A `Link`; see link.js. */
export class WebRtcLink extends EventTarget {
  /** @type {{location: string, token: string}|null} */ address = null;
  answered = false;
  #api;
  #abort = new AbortController();
  /** @type {RTCPeerConnection|null} */ #peer = null;
  /** @type {RTCDataChannel|null} */ #channel = null;
  #opened = withResolvers();
  #weak = false;

  /** @param {import("./api.js").Api} api */
  constructor(api) {
    super();
    this.#api = api;
    this.#opened.promise.catch(() => {}); // whoever awaits `open` hears of it
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {import("./link.js").CallRequest} request
   * @param {import("./link.js").SessionAddress|null} [address]
   */
  async open(track, request, address = null) {
    this.address = address && { location: address.location, token: address.token };
    const token = address ? address.token : await this.#api.token();
    this.#abort.signal.throwIfAborted();
    const peer = this.#openPeer(track);
    const response = await this.#exchange(await makeOffer(peer), request, token, address);
    const answer = await response.text();
    this.answered = true;
    if (this.#abort.signal.aborted) {
      if (!address) this.hangUp(); // closed meanwhile: do not leave it open there
      throw this.#abort.signal.reason;
    }
    if (this.#api.learn(serversOf(response))) this.#emit("servers");
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
    await this.#opened.promise;
  }

  /** @param {object} event */
  send(event) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(event));
    return true;
  }

  /** @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    await this.#peer?.getSenders()[0].replaceTrack(track);
  }

  async stats() {
    return this.#peer ? this.#peer.getStats() : null;
  }

  close(error = new ClientError("session_ended")) {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(error);
    this.#opened.reject(error);
    this.#channel?.close();
    this.#peer?.close();
  }

  hangUp(error) {
    const ended = this.address && hangUp(this.#api, this.address);
    this.address = null;
    this.close(error);
    return ended;
  }

  #openPeer(track) {
    const peer = new RTCPeerConnection(this.#api.rtcConfiguration);
    this.#peer = peer;
    peer.addTransceiver(track, { direction: "sendrecv", streams: [new MediaStream([track])] });
    peer.addEventListener("track", ({ track: remote, streams }) => {
      this.#emit("stream", { stream: streams[0] ?? new MediaStream([remote]) });
    });
    peer.addEventListener("connectionstatechange", () => this.#follow());
    const channel = peer.createDataChannel("oai-events");
    this.#channel = channel;
    channel.addEventListener("open", () => this.#follow());
    channel.addEventListener("message", ({ data }) => {
      this.#emit("message", { event: JSON.parse(data) });
    });
    channel.addEventListener("close", () => this.#down());
    return peer;
  }

  #follow() {
    const { connectionState } = this.#peer;
    if (connectionState === "failed") this.#down();
    else if (connectionState === "disconnected") this.#setWeak(true);
    else if (connectionState === "connected" && this.#channel.readyState === "open") {
      this.#setWeak(false);
      this.#opened.resolve();
    }
  }

  #setWeak(weak) {
    if (weak === this.#weak) return;
    this.#weak = weak;
    this.#emit(weak ? "weak" : "well");
  }

  #down() {
    this.#opened.reject(new ClientError("connect_failed")); // no matter once it was open
    this.#emit("down", { error: new ClientError("connection_lost") });
  }

  /** Exchange offer and answer. @returns {Promise<Response>} */
  async #exchange(offer, { source, target, session, queue = "" }, token, address) {
    const { signal } = this.#abort;
    if (address) {
      const url = new URL(`${address.location}/resume`);
      url.searchParams.set("last_seq", String(address.lastSeq));
      const headers = { "Content-Type": "application/sdp" };
      return this.#api.fetch(url, { method: "POST", body: offer, headers, token, signal });
    }
    const url = this.#api.url("v1/realtime/translations/calls");
    url.searchParams.set("source", source);
    url.searchParams.set("target", target);
    if (queue) url.searchParams.set("queue", queue);
    const body = new FormData();
    body.append("sdp", offer);
    body.append("session", JSON.stringify(session));
    const response = await this.#api.fetch(url, { method: "POST", body, token, signal });
    const location = new URL(response.headers.get("Location"), url).href;
    this.address = { location, token };
    return response;
  }

  #emit(type, detail) {
    if (this.#abort.signal.aborted) return;
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** `Promise.withResolvers`, which browsers from before 2024 lack. */
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
