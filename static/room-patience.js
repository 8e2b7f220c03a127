/** Asks the server again until it has another answer than to come again. */
import { Backoff } from "./client/backoff.js";

let endWait = () => {};

/** Have the next try now. */
export function hurry() {
  endWait();
}

/**
 * @template T
 * @param {() => Promise<T>} ask
 * @param {(state: "busy"|"lost") => void} show  says why it takes long
 * @returns {Promise<T>}
 * @throws {import("./client/errors.js").ClientError}
 */
export async function insist(ask, show) {
  const patience = new Backoff(performance.now(), Infinity);
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (error.status && !error.retryAfterMs) throw error;
      show(error.status ? "busy" : "lost");
      const ms = patience.next(performance.now(), error.retryAfterMs);
      await new Promise((wake) => {
        endWait = () => wake(null);
        setTimeout(endWait, ms);
      });
    }
  }
}
