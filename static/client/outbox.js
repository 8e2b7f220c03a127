/**
 * What waits for a slow network: audio and events in their order, a bounded time of audio. A
 * WebSocket takes whatever it is given and tells how much it still holds; it is given little, since
 * nothing can be taken back.
 */

const IN_SOCKET_BYTES = 16_000; // half a second of audio
const MOST_CHUNKS = 100; // 2 s

export class Outbox {
  #socket;
  #onSent;
  /** @type {(ArrayBuffer|string)[]} */ #waiting = [];
  #chunks = 0;

  /** Chunks of audio that were dropped, the oldest first. */
  dropped = 0;

  /**
   * @param {Pick<WebSocket, "send"|"bufferedAmount">} socket
   * @param {(chunk: ArrayBuffer) => void} onSent  a chunk was sent, or dropped: it is free again
   */
  constructor(socket, onSent) {
    this.#socket = socket;
    this.#onSent = onSent;
  }

  /** Whether the network takes everything at once. */
  get isEmpty() {
    return this.#waiting.length === 0;
  }

  /** Send, or keep; events are never dropped. @param {ArrayBuffer|string} message */
  put(message) {
    this.#waiting.push(message);
    if (typeof message !== "string") this.#chunks += 1;
    while (this.#waiting.length && this.#socket.bufferedAmount < IN_SOCKET_BYTES) {
      const next = this.#waiting.shift();
      this.#socket.send(next);
      this.#free(next);
    }
    if (this.#chunks > MOST_CHUNKS) this.#dropOldest();
  }

  #dropOldest() {
    const oldest = this.#waiting.findIndex((message) => typeof message !== "string");
    this.dropped += 1;
    this.#free(...this.#waiting.splice(oldest, 1));
  }

  #free(message) {
    if (typeof message === "string") return;
    this.#chunks -= 1;
    this.#onSent(message);
  }
}
