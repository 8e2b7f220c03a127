/**
 * What a microphone hears from the click on, sent when the call is up: where to keep it is prepared while
 * the browser asks for the microphone, and given up once nothing is late any more.
 */
const PATIENCE_MS = 500; // no call waits longer for an audio thread that does not begin

export class EarlySpeech {
  #making = import("./backlog.js").then(({ Backlog }) => Backlog.make()).catch(() => null); // it goes without
  /** @type {import("./backlog.js").Backlog|null} */ #backlog = null;

  /** Await it once the microphone is open. @returns {Promise<void>} when it can listen, or cannot in time */
  async prepared() {
    this.#backlog = await Promise.race([
      this.#making,
      new Promise((wake) => setTimeout(wake, PATIENCE_MS, null)),
    ]);
  }

  /**
   * Keep what a track says from now on.
   *
   * @param {MediaStreamTrack} track
   * @returns {MediaStreamTrack} what is to be sent for it until `catchUp` or `close`
   */
  listen(track) {
    this.#backlog?.listen(track);
    return this.#backlog?.track ?? track;
  }

  /** @returns {Promise<void>|undefined} when all that was said until now is sent; none if nothing is kept */
  passed() {
    return this.#backlog?.passed();
  }

  /** What was said so far counts no more, nor what is said until the call is up. */
  forget() {
    this.#backlog?.forget();
  }

  /**
   * The call is up: send what was said meanwhile, then the track itself.
   *
   * @param {() => unknown} useTrack  has the call send the track itself
   */
  async catchUp(useTrack) {
    const backlog = this.#backlog;
    await backlog?.release();
    if (!backlog || backlog !== this.#backlog) return;
    await useTrack();
    this.close();
  }

  /** Idempotent. What waits for it gets its answer. */
  close() {
    this.#backlog = null;
    this.#making.then((backlog) => backlog?.close());
  }
}
