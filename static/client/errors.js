/** Why a session could not start, or ended. `code` is stable; `message` is the server's sentence. */
export class ClientError extends Error {
  /**
   * @param {string} code  one of: webrtc_missing, server_unreachable, server_busy, unauthorized,
   *     language_unavailable, session_unknown, server_refused, connect_failed, connection_lost,
   *     server_gone, session_ended
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
    const codes = {
      401: "unauthorized",
      403: "unauthorized",
      404: "session_unknown",
      422: "language_unavailable",
      429: "server_busy",
      503: "server_busy",
    };
    const problem = await response.json().catch(() => ({}));
    const code = codes[response.status] ?? "server_refused";
    return new ClientError(code, problem.detail ?? problem.error?.message ?? "");
  }
}
