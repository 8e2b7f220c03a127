/** The server's HTTP side, as far as every link needs it: URLs, secrets, errors, ICE servers. */
import { ClientError } from "./errors.js";

export class Api {
  #base;
  #getToken;
  #given;
  /** What requests show, once it has come. @type {string|null} */ #held = null;
  /** The same, from when it was asked for. @type {Promise<string>|null} */ #holding = null;
  #servers = /** @type {RTCIceServer[]} */ ([]);
  #policy = /** @type {RTCIceTransportPolicy} */ ("all");

  /**
   * @param {string|URL} url  where the server's page lives
   * @param {import("./token.js").TokenSource} token
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
   * Ask for what opens a session; empty on a server without keys.
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

  /**
   * Have a token, with what it says of ICE servers: the one that is kept, or that somebody waits for.
   *
   * @param {string} [refused]  by the server; another is asked for only if this one is still kept
   * @returns {Promise<string>}
   */
  hold(refused) {
    if (!this.#holding || (refused !== undefined && refused === this.#held)) {
      this.#held = null;
      this.#holding = this.#keep(refused);
    }
    return this.#holding;
  }

  async #keep(refused) {
    try {
      return (this.#held = await this.token(refused));
    } catch (error) {
      this.#holding = null;
      throw error;
    }
  }

  /** For an `RTCPeerConnection`, as far as is known. Ask for a token first. */
  get rtcConfiguration() {
    return {
      iceServers: this.#given.iceServers ?? this.#servers,
      iceTransportPolicy: this.#given.iceTransportPolicy ?? this.#policy,
    };
  }

  /** Take the ICE servers of an answer. @param {RTCIceServer[]} servers  @returns {boolean} whether none were known before */
  learn(servers) {
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
   * Do what shows the token that is kept; where the server refuses that, once more with another if
   * there is one.
   *
   * @template T
   * @param {(token: string) => Promise<T>} act
   * @returns {Promise<T>}
   * @throws {ClientError}
   */
  async withToken(act) {
    const token = await this.hold();
    try {
      return await act(token);
    } catch (error) {
      if (error.status !== 401) throw error;
      const another = await this.hold(token);
      if (another === token) throw error;
      return act(another);
    }
  }

  /**
   * A request, `withToken`.
   *
   * @param {string} path
   * @param {RequestInit} [init]
   * @throws {ClientError}
   */
  request(path, init = {}) {
    return this.withToken((token) => this.fetch(this.url(path), { cache: "no-store", ...init, token }));
  }
}
