/** The server's HTTP side, as far as every link needs it: URLs, secrets, errors, ICE servers. */
import { ClientError } from "./errors.js";
import { iceServersOf } from "./ice.js";

/**
 * @typedef {object} ClientSecret  the answer of `client_secrets`
 * @property {string} value
 * @property {{ice_servers?: RTCIceServer[], ice_transport_policy?: RTCIceTransportPolicy}} [x]
 *
 * @typedef {string|ClientSecret} Token
 *
 * Where a token comes from: one for good, or a function that is asked for each session, and again
 * with what the server refused. @typedef {Token|((refused?: string) => Token|Promise<Token>)} TokenSource
 */

export class Api {
  #base;
  #getToken;
  #given;
  /** What requests show. */ #held = "";
  #asked = false;
  #servers = /** @type {RTCIceServer[]} */ ([]);
  #policy = /** @type {RTCIceTransportPolicy} */ ("all");

  /**
   * @param {string|URL} url  where the server's page lives
   * @param {TokenSource} token  asked for anew for each session
   * @param {{iceServers?: RTCIceServer[], iceTransportPolicy?: RTCIceTransportPolicy}} [given]
   *     what the application decides itself wins over what the server says
   */
  constructor(url, token, given = {}) {
    this.#base = new URL(".", url);
    this.#getToken = typeof token === "function" ? token : () => token;
    this.#given = given;
  }

  /** @param {string} path  @returns {URL} */
  url(path) {
    return new URL(path, this.#base);
  }

  /**
   * What opens a session; empty on a server without keys.
   *
   * @param {string} [refused]  what did not
   * @returns {Promise<string>}
   */
  async token(refused) {
    const token = await this.#getToken(refused);
    if (!token) return "";
    if (typeof token === "string") return token;
    this.#servers = token.x?.ice_servers ?? [];
    this.#policy = token.x?.ice_transport_policy ?? "all";
    return token.value;
  }

  /** What `request` showed last. */
  get held() {
    return this.#held;
  }

  /** For an `RTCPeerConnection`, as far as is known. Ask for a token first. */
  get rtcConfiguration() {
    return {
      iceServers: this.#given.iceServers ?? this.#servers,
      iceTransportPolicy: this.#given.iceTransportPolicy ?? this.#policy,
    };
  }

  /** Take the ICE servers of an answer. @returns {boolean} whether none were known before */
  learn(response) {
    const servers = iceServersOf(response.headers.get("Link") ?? "");
    const news = servers.length > 0 && this.rtcConfiguration.iceServers.length === 0;
    if (servers.length) this.#servers = servers;
    return news;
  }

  /**
   * @param {string|URL} url
   * @param {RequestInit & {token?: string}} init
   * @throws {ClientError}
   */
  async fetch(url, { token, ...init }) {
    const headers = { ...init.headers, ...(token && { Authorization: `Bearer ${token}` }) };
    let response;
    try {
      response = await fetch(url, { ...init, headers });
    } catch (error) {
      if (init.signal?.aborted) throw init.signal.reason ?? error;
      throw new ClientError("server_unreachable");
    }
    if (!response.ok) throw await ClientError.fromResponse(response);
    return response;
  }

  /**
   * A request that shows the same token as the last one; where the server refuses that, once more
   * with another if there is one.
   *
   * @param {string} path
   * @param {RequestInit} [init]
   * @throws {ClientError}
   */
  async request(path, init = {}) {
    const send = () => this.fetch(this.url(path), { cache: "no-store", ...init, token: this.#held });
    if (!this.#asked) this.#held = await this.token();
    this.#asked = true;
    try {
      return await send();
    } catch (error) {
      if (error.status !== 401) throw error;
      const refused = this.#held;
      this.#held = await this.token(refused);
      if (this.#held === refused) throw error;
      return send();
    }
  }
}
