import { Backoff } from "./backoff.js";
import { Comeback } from "./comeback.js";
import { ClientError, asClientError, lost } from "./errors.js";
import { hangUp, makeOffer, serversOf } from "./negotiation.js";

const HANG_UP_MS = 2000; // a server that is gone does not answer
/** Refusals for good; what else goes wrong may be a server, or a proxy before it, that starts. */
const FINAL = [401, 403, 409, 422];

/**
 * One speaker's or listener's connection to a room, made again while there is patience.
 *
 * Events (each a CustomEvent): "state" {state, error}, "track" {track}: the audio of the room, and
 * "message" {event}: a server event, parsed.
 *
 * @typedef {"connecting"|"live"|"reconnecting"|"closed"} RoomCallState
 */
export class RoomCall extends EventTarget {
  /** @type {RoomCallState} */ #state = "connecting";
  #api;
  #path;
  #prepare;
  #patienceMs;
  #events;
  /** What a speaker sends. @type {MediaStreamTrack|null} */ #track;
  /** The newest one. @type {RTCPeerConnection|null} */ #peer = null;
  /** Ends all of it. */ #stopped = new AbortController();
  /** Ends the connection that there is. */ #lost = new AbortController();
  #comeback = new Comeback();

  /**
   * @param {import("./api.js").Api} api
   * @param {string} path  that takes the offer
   * @param {(peer: RTCPeerConnection, track: MediaStreamTrack|null) => void} prepare  adds what a peer
   *     sends and receives
   * @param {{patienceMs: number, events?: boolean, track?: MediaStreamTrack}} how  how long to try to get a
   *     lost connection back; whether the server sends events on it; what is sent
   */
  constructor(api, path, prepare, { patienceMs, events = false, track = null }) {
    super();
    this.#api = api;
    this.#path = path;
    this.#prepare = prepare;
    this.#patienceMs = patienceMs;
    this.#events = events;
    this.#track = track;
    this.#run();
  }

  /** @returns {RoomCallState} */
  get state() {
    return this.#state;
  }

  /** End it, here and at the server. Nothing is told of it. */
  stop() {
    this.#state = "closed";
    this.#stopped.abort();
    this.#lost.abort();
    this.#comeback.close();
  }

  /** Send another track from now on, as who speaks. @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    this.#track = track;
    if (this.#peer?.signalingState !== "closed") await this.#peer?.getSenders()[0].replaceTrack(track);
  }

  /** The connection leads nowhere, as the caller knows: make another. */
  renew() {
    this.#lost.abort();
  }

  async #run() {
    let backoff = new Backoff(performance.now(), this.#patienceMs);
    while (!this.#stopped.signal.aborted) {
      let error = new ClientError("connection_lost");
      try {
        await this.#connect(() => {
          backoff = new Backoff(performance.now(), this.#patienceMs);
          this.#setState("live");
        });
      } catch (failure) {
        error = asClientError(failure);
      }
      if (this.#stopped.signal.aborted) return;
      const { status, retryAfterMs } = error;
      const refused = (FINAL.includes(status) && !retryAfterMs) || retryAfterMs >= this.#patienceMs;
      const missing = error.code === "webrtc_missing";
      const waitMs = refused || missing ? null : backoff.next(performance.now(), retryAfterMs);
      if (waitMs === null) {
        this.#setState("closed", status || missing ? error : lost(error));
        return this.stop();
      }
      this.#setState("reconnecting", error);
      if (await this.#comeback.within(waitMs)) backoff = new Backoff(performance.now(), this.#patienceMs);
    }
  }

  /** One connection; resolves when it is lost. */
  async #connect(connected) {
    this.#lost = new AbortController();
    const { signal } = this.#lost;
    const lose = () => this.#lost.signal === signal && this.#lost.abort();
    const ended = new Promise((resolve) => signal.addEventListener("abort", resolve));
    if (this.#stopped.signal.aborted) return;
    if (typeof RTCPeerConnection === "undefined") throw new ClientError("webrtc_missing");
    const negotiate = () =>
      this.#api.withToken((token) => this.#negotiate(token, signal, () => this.#open(lose, connected)));
    if (await negotiate()) await negotiate();
    await ended;
  }

  /**
   * Exchange offer and answer.
   *
   * @param {string} token  whose ICE servers and policy are known by now
   * @param {AbortSignal} signal
   * @param {() => RTCPeerConnection} open
   * @returns {Promise<boolean>} whether it is to be done again
   */
  async #negotiate(token, signal, open) {
    signal.throwIfAborted();
    const peer = open();
    /** @type {{location: string, token: string}|null} */ let address = null;
    const close = async () => {
      for (const { track } of peer.getReceivers()) track.stop(); // silent at once, whatever follows
      const there = address;
      address = null;
      // Before the connection goes: the server would notice that, and know no such peer then.
      if (there) await hangUp(this.#api, there, AbortSignal.timeout(HANG_UP_MS));
      peer.close();
    };
    signal.addEventListener("abort", close);
    try {
      const body = await makeOffer(peer);
      signal.throwIfAborted();
      const headers = { "Content-Type": "application/sdp" };
      const url = this.#api.url(this.#path);
      const response = await this.#api.fetch(url, { method: "POST", headers, body, token });
      address = { location: new URL(response.headers.get("Location"), url).href, token };
      const answer = await response.text();
      signal.throwIfAborted();
      if (!this.#api.learn(serversOf(response))) {
        await peer.setRemoteDescription({ type: "answer", sdp: answer });
        return false;
      }
    } catch (error) {
      close();
      throw error;
    }
    signal.removeEventListener("abort", close);
    await close();
    signal.throwIfAborted();
    return true; // with the ICE servers that the answer named
  }

  #open(lose, connected) {
    const peer = new RTCPeerConnection(this.#api.rtcConfiguration);
    this.#peer = peer;
    this.#prepare(peer, this.#track);
    peer.addEventListener("track", ({ track }) => this.#emit("track", { track }));
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "connected") connected();
      else if (peer.connectionState === "failed") lose();
    });
    if (this.#events) {
      const channel = peer.createDataChannel("oai-events");
      channel.addEventListener("message", ({ data }) => this.#emit("message", { event: JSON.parse(data) }));
      channel.addEventListener("close", () => peer.connectionState !== "closed" && lose());
    }
    return peer;
  }

  /** @param {RoomCallState} state  @param {ClientError|null} [error] */
  #setState(state, error = null) {
    this.#state = state;
    this.#emit("state", { state, error });
  }

  #emit(type, detail) {
    if (this.#stopped.signal.aborted) return;
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
