import { ClientError } from "./errors.js";
import { WebRtcLink } from "./webrtc.js";

const CONNECT_MS = 15000;
const FALL_BACK_MS = 8000; // a WebSocket may do where WebRTC does not
const END_MS = 2000; // a network that loses the end of a session must not hold up the next
const NEWS_MS = 2000; // then we try with the ICE servers that the answer brought

/**
 * Opens the links of a session: over WebRTC, with the ICE servers that an answer brought if need be,
 * or over a WebSocket where that fails.
 *
 * @typedef {import("./link.js").Link} Link
 */
export class Connector {
  /** The link that is used, or was tried last. @type {Link|null} */ link = null;
  #api;
  #transport;
  #begin;
  #isOver;

  /**
   * @param {import("./api.js").Api} api
   * @param {"auto"|"webrtc"|"websocket"} transport
   * @param {object} session
   * @param {(link: Link, resumes: boolean) => {track: MediaStreamTrack, lastSeq: number,
   *     request: import("./link.js").CallRequest}} session.begin  a link is about to be opened, with these
   * @param {() => boolean} session.isOver  nobody needs a link any more
   */
  constructor(api, transport, { begin, isOver }) {
    this.#api = api;
    this.#transport = transport;
    this.#begin = begin;
    this.#isOver = isOver;
  }

  /**
   * Open a link; it is `link` then.
   *
   * @param {{location: string, token: string}|null} address  of the session to resume
   * @throws {ClientError}
   */
  async connect(address) {
    if (!address) await this.#endFailed();
    if (this.#transport !== "websocket") {
      try {
        return await this.#connectPeer(address);
      } catch (error) {
        const failed = error.code === "connect_failed" || error.code === "webrtc_missing";
        if (this.#transport !== "auto" || !failed || this.#isOver()) throw error;
        if (!address) await this.#endFailed();
      }
    }
    const { WebSocketLink } = await import("./websocket.js").catch(() => {
      throw new ClientError("server_unreachable"); // the next attempt asks for it again
    });
    const before = this.link;
    const resumed = this.#transport === "websocket" ? address : null;
    try {
      await this.#try(new WebSocketLink(this.#api), resumed, CONNECT_MS);
    } catch (error) {
      if (this.#isOver()) before?.hangUp();
      else this.link = before ?? this.link; // which knows the session's address
      if (!address && error.queue) this.#transport = "websocket"; // its turn is not for WebRTC to lose
      throw error;
    }
    if (!resumed) before?.hangUp();
    this.#transport = "websocket";
  }

  /** End the session that a link of ours has opened in vain: it may hold the only place that is free. */
  async #endFailed() {
    if (!this.link?.address) return;
    await Promise.race([this.link.hangUp(), new Promise((resolve) => setTimeout(resolve, END_MS))]);
  }

  async #connectPeer(address) {
    if (typeof RTCPeerConnection === "undefined") throw new ClientError("webrtc_missing");
    const patienceMs = this.#transport === "auto" ? FALL_BACK_MS : CONNECT_MS;
    const link = new WebRtcLink(this.#api);
    let news = false;
    link.addEventListener("servers", () => (news = true));
    try {
      await this.#try(link, address, patienceMs);
    } catch (error) {
      if (!news || this.#isOver()) throw error;
      await this.#try(new WebRtcLink(this.#api), link.address, patienceMs);
    }
  }

  /** @param {Link} link */
  async #try(link, address, patienceMs) {
    if (this.#isOver()) throw new ClientError("session_ended");
    this.link = link;
    const { track, request, lastSeq } = this.#begin(link, Boolean(address));
    let timer = 0;
    const limit = (ms) => {
      clearTimeout(timer);
      // A server that does not even answer is no reason to try another way to it.
      const code = () => (link.answered === false ? "server_unreachable" : "connect_failed");
      timer = setTimeout(() => link.close(new ClientError(code())), ms);
    };
    limit(patienceMs);
    link.addEventListener("servers", () => limit(NEWS_MS));
    try {
      await link.open(track, request, address && { ...address, lastSeq });
    } catch (error) {
      link.close(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
