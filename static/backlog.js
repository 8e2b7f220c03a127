/**
 * Keeps what a microphone hears while the call is being set up, and sends it once the call is up.
 * It gives a track, so that any connection can carry it: WebRTC as well as a WebSocket.
 *
 * An echo canceller is not disturbed: the browser applies it before the sound comes here. Nothing
 * is spoken yet while sound waits here, so there is no voice of our own in it either.
 */
export class Backlog {
  /** What is to be sent. @type {MediaStreamTrack} */ track;
  #context;
  #node;
  /** @type {MediaStreamAudioSourceNode|null} */ #source = null;
  #count = 0;
  /** What waits for the audio thread's word. @type {Map<number|"live", (word?: any) => void>} */ #waiting = new Map();

  /** Make one before the microphone is open: then nothing is missed. */
  static async make() {
    const context = new AudioContext({ latencyHint: "interactive" });
    try {
      context.resume().catch(() => {});
      await context.audioWorklet.addModule(new URL("worklets/backlog.worklet.js", import.meta.url));
      return new Backlog(context);
    } catch (error) {
      context.close();
      throw error;
    }
  }

  /** See `make`. */
  constructor(context) {
    this.#context = context;
    this.#node = new AudioWorkletNode(context, "backlog", {
      channelCount: 1,
      channelCountMode: "explicit",
      outputChannelCount: [1],
    });
    this.#node.port.onmessage = ({ data }) => {
      this.#waiting.get(data)?.();
      this.#waiting.delete(data);
    };
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    this.#node.connect(destination);
    [this.track] = destination.stream.getAudioTracks();
  }

  /** Keep what this track says from now on. @param {MediaStreamTrack} track */
  listen(track) {
    this.#context.resume().catch(() => {}); // some browsers let sound run only once a microphone does
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#node);
  }

  /** Send it from now on. @returns {Promise<void>} when it has caught up: the track itself will do */
  release() {
    if (this.#context.state !== "running") return Promise.resolve(); // then nothing was kept
    this.#node.port.postMessage("release");
    return this.#word("live");
  }

  /** Send only what is said from now on, as it comes. */
  forget() {
    this.#node.port.postMessage("forget");
  }

  /** @returns {Promise<void>} when all that was said until now is sent */
  passed() {
    if (this.#context.state !== "running") return Promise.resolve();
    this.#count += 1;
    this.#node.port.postMessage(this.#count);
    return this.#word(this.#count);
  }

  /** Idempotent. What waits for a word gets it. */
  close() {
    if (this.#context.state === "closed") return;
    this.#source?.disconnect();
    this.#node.port.postMessage("end");
    this.track.stop();
    this.#context.close();
    for (const wake of this.#waiting.values()) wake();
    this.#waiting.clear();
  }

  #word(name) {
    if (this.#context.state === "closed") return Promise.resolve();
    return new Promise((wake) => this.#waiting.set(name, wake));
  }
}
