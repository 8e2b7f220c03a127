/** What speakers and listeners of a room need of the server: its state, its audio and its captions. */
import { Api } from "./api.js";
import { RoomCall } from "./room-call.js";
import { serverEvents } from "./server-events.js";

const PATIENCE_MS = 10 * 60_000;

/**
 * A room at an interpreter server: one speaker, and listeners who each hear their language.
 *
 *     const room = new RoomClient({ url: "https://interpreter.example/", room: "hall" });
 *     const call = room.listen("en");
 *     call.addEventListener("track", ({ detail }) => (audio.srcObject = new MediaStream([detail.track])));
 *     call.addEventListener("message", ({ detail }) => show(detail.event));
 *
 * Who is already there and left a key is known by it: a token must be the same after a reload.
 *
 * @typedef {object} RoomState
 * @property {boolean} live  somebody speaks, so that one can listen
 * @property {string} source  language that is spoken
 * @property {number} listeners
 * @property {{language: string, listeners: number}[]} languages  the original is the first
 * @property {number} [expires_in_ms]
 */
export class RoomClient {
  #api;
  #path;
  #patienceMs;

  /**
   * @param {object} options
   * @param {string} options.room  its name
   * @param {string|URL} [options.url]  where the server's page lives
   * @param {import("./token.js").TokenSource} [options.token]  a client secret, if the server asks for
   *     one; a function is asked again with what the server refused
   * @param {RTCIceServer[]} [options.iceServers]  instead of those that the server names
   * @param {RTCIceTransportPolicy} [options.iceTransportPolicy]
   * @param {number} [options.patienceMs]  how long a speaker tries to get a lost connection back
   */
  constructor({
    room,
    url = globalThis.location?.href,
    token = "",
    iceServers,
    iceTransportPolicy,
    patienceMs = PATIENCE_MS,
  }) {
    this.#api = new Api(url, token, { iceServers, iceTransportPolicy });
    this.#path = encodeURIComponent(room);
    this.#patienceMs = patienceMs;
  }

  /** What goes on in it. @returns {Promise<RoomState>} @throws {ClientError} status 404: nothing */
  state() {
    return this.#json(`v1/rooms/${this.#path}`);
  }

  /**
   * The address for listeners, for who may speak.
   *
   * @returns {Promise<{url: string, qr_svg: string}>}
   * @throws {ClientError}
   */
  invite() {
    return this.#json(`v1/rooms/${this.#path}/link`, { method: "POST" });
  }

  /**
   * What the server can translate: the answer of `/v1/languages`.
   *
   * @returns {Promise<{pairs: {source: string, target: string}[], default: {source: string, target: string}}>}
   * @throws {ClientError}
   */
  languages() {
    return this.#json("v1/languages");
  }

  /**
   * Speak into the room until `stop`, again after each loss.
   *
   * @param {MediaStreamTrack} track  audio; the caller keeps it and ends it
   * @param {{source: string}} settings  the language that is spoken
   * @returns {RoomCall}
   */
  speak(track, { source }) {
    const prepare = (peer, sent) => {
      peer.addTransceiver(sent, { direction: "sendonly", streams: [new MediaStream([sent])] });
    };
    const path = `whip/${this.#path}?source=${encodeURIComponent(source)}`;
    return new RoomCall(this.#api, path, prepare, { patienceMs: this.#patienceMs, track });
  }

  /**
   * Hear one language, and get its captions. Once lost it is over: the room may be, too.
   *
   * @param {string} language
   * @returns {RoomCall}
   */
  listen(language) {
    const prepare = (peer) => void peer.addTransceiver("audio", { direction: "recvonly" });
    const path = `whep/${this.#path}?language=${encodeURIComponent(language)}`;
    return new RoomCall(this.#api, path, prepare, { patienceMs: 0, events: true });
  }

  /**
   * Captions alone, without a connection for audio.
   *
   * @param {string} language
   * @param {{lastId?: string, signal?: AbortSignal}} [how]  `lastId`: of the last event that was read
   * @yields {{id: string, event: any}}
   * @throws {ClientError}
   */
  async *captions(language, { lastId, signal } = {}) {
    const path = `v1/rooms/${this.#path}/captions?language=${encodeURIComponent(language)}`;
    const headers = lastId ? { "Last-Event-ID": lastId } : {};
    const response = await this.#api.request(path, { headers, signal });
    for await (const { id, data } of serverEvents(response.body)) yield { id, event: JSON.parse(data) };
  }

  async #json(path, init) {
    const response = await this.#api.request(path, init);
    return response.json();
  }
}
