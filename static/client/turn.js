/** Our turn before a full server: who comes back with the ticket keeps its position in the line. */
import { asClientError } from "./errors.js";

const LOST_MS = 2000;
const LOST_TRIES = 4; // in a row: the ticket is kept a little longer than that
const MOST_MS = 15000; // a ticket that is not shown for longer is void, and the reason is worth knowing

const SPARE_MS = 30000; // to connect with a token that is kept

export class Turn {
  /** What the next request shows; nothing where nobody waits. @type {string|undefined} */ ticket;
  #lost = 0;
  /** @type {import("./token.js").Token|null} */ #token = null;
  #isTokenKept = false;

  /** @param {boolean} waits */
  constructor(waits) {
    this.ticket = waits ? "new" : undefined;
  }

  /**
   * Have one token serve for all the time in line, as long as it says that it is valid: whoever gives
   * tokens bounds how many it gives.
   *
   * @param {import("./token.js").TokenSource} source
   * @returns {import("./token.js").TokenSource}
   */
  keep(source) {
    if (typeof source !== "function") return source;
    return async () => {
      this.#isTokenKept = this.#isInLine && serves(this.#token);
      if (!this.#isTokenKept) this.#token = await source();
      return this.#token;
    };
  }

  get #isInLine() {
    return Boolean(this.ticket) && this.ticket !== "new";
  }

  /**
   * Connect, once it is our turn. Whoever waits is told the position by a "waiting" {position}.
   *
   * @param {() => Promise<void>} connect
   * @param {EventTarget & {state: string}} client  its next "state" is the end of waiting
   * @throws what `connect` throws where there is no line
   */
  async take(connect, client) {
    for (;;) {
      try {
        await connect();
        this.ticket = undefined; // used up
        return;
      } catch (failure) {
        const error = asClientError(failure);
        const waitMs = this.#next(error);
        if (waitMs === null) throw failure;
        const { position } = error.queue ?? {};
        if (position) client.dispatchEvent(new CustomEvent("waiting", { detail: { position } }));
        await unlessOver(client, waitMs);
        if (client.state === "closed") throw failure;
      }
    }
  }

  /** @param {import("./errors.js").ClientError} error  @returns {number|null} null to give up */
  #next(error) {
    if (error.queue && this.ticket) {
      this.#lost = 0;
      this.ticket = error.queue.ticket;
      return error.retryAfterMs;
    }
    const isOver = !this.#mayHelp(error) || error.retryAfterMs > MOST_MS;
    if (!this.#isInLine || isOver || ++this.#lost > LOST_TRIES) return null;
    return Math.max(error.retryAfterMs, LOST_MS);
  }

  /** Whether another try may help. @param {import("./errors.js").ClientError} error */
  #mayHelp(error) {
    if (error.status !== 401 || !this.#isTokenKept) return error.retryable;
    this.#token = null; // a new one may be taken
    return true;
  }
}

/** Whether a token can open a session for a while yet. @param {import("./token.js").Token|null} token */
function serves(token) {
  const expiresAt = (typeof token === "object" && token?.expires_at) || 0; // a bare value does not say
  return expiresAt * 1000 > Date.now() + SPARE_MS;
}

/** Wait, but not when it is ended meanwhile. */
function unlessOver(client, waitMs) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      client.removeEventListener("state", wake);
      resolve();
    };
    const timer = setTimeout(wake, waitMs);
    client.addEventListener("state", wake);
  });
}
