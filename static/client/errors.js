/** Reason for which a session could not start, or ended. `code` is stable; `message` is the server's sentence. */
export class ClientError extends Error {
  /**
   * @param {string} code  one of: webrtc_missing, worklet_missing, server_unreachable, server_busy,
   *     unauthorized, language_unavailable, server_refused, connect_failed, connection_lost, server_gone,
   *     session_ended, session_idle, session_limit
   * @param {string} [message]
   * @param {number} [status]  of the HTTP answer, if it was one
   * @param {number} [retryAfterMs]  how long the server asks to wait before the next try
   * @param {string} [reason]  the server's own code for it
   */
  constructor(code, message = "", status = 0, retryAfterMs = 0, reason = "") {
    super(message || code);
    this.name = "ClientError";
    this.code = code;
    this.detail = message;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.reason = reason;
    /** Our ticket and position in the server's line. @type {{ticket: string, position: number}|null} */ this.queue = null;
  }

  /** Whether the same may work a little later. */
  get retryable() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** What an error answer (RFC 9457) means to the caller. @param {Response} response */
  static async fromResponse(response) {
    const codes = {
      401: "unauthorized",
      403: "unauthorized",
      422: "language_unavailable",
      429: "server_busy",
      503: "server_busy",
    };
    const problem = await response.json().catch(() => ({}));
    const code = codes[response.status] ?? "server_refused";
    const message = problem.detail ?? problem.error?.message ?? "";
    const reason = problem.error?.code ?? "";
    const error = new ClientError(code, message, response.status, askedToWaitMs(response), reason);
    error.queue = problem.queue ?? null;
    return error;
  }
}

/** A broken answer counts as a refusal; what broke is its `cause`, which no page shows. @param {unknown} cause @returns {ClientError} */
export function asClientError(cause) {
  return cause instanceof ClientError ? cause : Object.assign(new ClientError("server_refused"), { cause });
}

/** What it means that a connection did not come back. @param {ClientError} error */
export function lost(error) {
  return new ClientError(error.code === "server_unreachable" ? "server_gone" : "connection_lost");
}

/** What it means that the server closed the session. @param {string} reason  as "x.expiring" gave it */
export function endedBy(reason) {
  const codes = { idle: "session_idle", limit: "session_limit" };
  return new ClientError(codes[reason] ?? "session_ended");
}

/** @param {Response} response  @returns {number} what Retry-After asks for; 0 without one */
function askedToWaitMs(response) {
  const seconds = parseFloat(response.headers.get("Retry-After"));
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : 0;
}
