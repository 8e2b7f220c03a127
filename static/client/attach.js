import { TranslationClient } from "./session.js";

/**
 * @typedef {object} Segment  a caption; a revision replaces what came before under the same key
 * @property {string} key  unique over reconnections
 * @property {number} rev
 * @property {boolean} final
 * @property {"partial"|"final"|"not_understood"|"failed"} status
 * @property {{language: string, text: string, stable_chars: number, start_ms: number, end_ms: number}} source
 * @property {{language: string, text: string, stable_chars: number}} target
 *
 * @typedef {object} AttachOptions
 * @property {AbortSignal} [signal]  gives up while it connects
 * @property {(position: number) => void} [onWaiting]  called with each position in line, with `queue`
 */

/**
 * Have a track interpreted. Resolves when the translation flows.
 *
 * @param {MediaStreamTrack} track  audio from anywhere; the caller keeps it and ends it
 * @param {ConstructorParameters<typeof TranslationClient>[0] &
 *     import("./session.js").SessionSettings & AttachOptions} options
 * @returns {Promise<Translation>}
 * @throws {import("./errors.js").ClientError}
 * @throws {DOMException}  AbortError
 */
export async function attachTranslation(track, options) {
  const { url, token, transport, iceServers, iceTransportPolicy, patienceMs, queue, ...others } = options;
  const { signal, onWaiting, ...settings } = others;
  signal?.throwIfAborted();
  const client = new TranslationClient({
    url,
    token,
    transport,
    iceServers,
    iceTransportPolicy,
    patienceMs,
    queue,
  });
  const translation = new Translation(client);
  const giveUp = () => client.stop({ drain: false });
  signal?.addEventListener("abort", giveUp);
  client.addEventListener("waiting", (/** @type {CustomEvent} */ { detail }) => {
    onWaiting?.(detail.position);
  });
  try {
    await client.start(track, settings);
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
  return translation;
}

/**
 * A running interpretation. Events (each a CustomEvent): "state" {state, error}, "vad" {state},
 * "metrics", "warning" {code, message}, "expiring" {in_ms}, "refused" {code, message}, and "track"
 * {track}: `stream` holds another track, after a reconnection. Elements that play the stream follow
 * by themselves; a recorder, an audio graph or another call takes tracks, and must be given this one.
 */
export class Translation extends EventTarget {
  /** The translated speech. The same stream for good, whatever becomes of the connection. */
  stream = new MediaStream();
  /** Fires "segment" (its detail a `Segment`) and "playout" {key, state, queue_ms}. */
  captions = new EventTarget();
  #client;
  #sessionId = "";
  /** @type {Map<string, Segment>} */ #segments = new Map();

  /** @param {TranslationClient} client */
  constructor(client) {
    super();
    this.#client = client;
    const on = (type, take) =>
      client.addEventListener(type, (/** @type {CustomEvent} */ { detail }) => take(detail));
    on("track", ({ stream }) => this.#adopt(stream));
    on("session", ({ id }) => this.#enter(id));
    on("segment", (event) => this.#take(event));
    on("playout", (event) => {
      this.captions.dispatchEvent(
        new CustomEvent("playout", { detail: { ...event, key: this.#key(event) } }),
      );
    });
    for (const type of ["state", "vad", "metrics", "warning", "expiring", "refused"]) {
      on(type, (detail) => this.dispatchEvent(new CustomEvent(type, { detail })));
    }
  }

  /** @returns {import("./session.js").State} */
  get state() {
    return this.#client.state;
  }

  /** Another direction, from the next phrase on. @param {{source?: string, target?: string}} languages */
  setLanguages({ source, target }) {
    this.#client.update({
      ...(source && { source_language: source }),
      ...(target && { target_language: target }),
    });
  }

  /** Listen to another track. @param {MediaStreamTrack} track */
  replaceTrack(track) {
    return this.#client.replaceTrack(track);
  }

  /** Push-to-talk begins, for a session with `vad: {mode: "off"}`; `commit` ends it. */
  begin() {
    this.#client.send({ type: "x.input.start" });
  }

  /** End the phrase: translate now what was said so far. */
  commit() {
    this.#client.send({ type: "x.input.commit" });
  }

  /** Stop speaking now, and forget what waits to be spoken. */
  clear() {
    this.#client.send({ type: "x.output.clear" });
  }

  /** Everything said so far, in the order of speaking. @returns {Segment[]} */
  transcript() {
    return [...this.#segments.values()];
  }

  /** Statistics of the peer connection. @returns {Promise<RTCStatsReport|null>} */
  stats() {
    return this.#client.stats();
  }

  /** End it; with `drain`, what was said is still spoken first. @param {{drain?: boolean}} [how] */
  stop(how) {
    return this.#client.stop(how);
  }

  /** After a reconnection the speech comes on another track. @param {MediaStream} stream */
  #adopt(stream) {
    for (const old of this.stream.getTracks()) this.stream.removeTrack(old);
    for (const track of stream.getTracks()) {
      this.stream.addTrack(track);
      this.dispatchEvent(new CustomEvent("track", { detail: { track } }));
    }
  }

  /** What an earlier session left unfinished will not be finished any more. */
  #enter(id) {
    if (id === this.#sessionId) return;
    this.#sessionId = id;
    for (const [key, { status }] of this.#segments) {
      if (status === "partial") this.#segments.delete(key);
    }
  }

  #take(event) {
    const key = this.#key(event);
    const known = this.#segments.get(key);
    if (known && (known.final || event.rev <= known.rev)) return;
    const detail = Object.freeze({ ...event, key });
    this.#segments.set(key, detail);
    this.captions.dispatchEvent(new CustomEvent("segment", { detail }));
  }

  /** Segment ids are only unique within a session. */
  #key({ segment_id: id }) {
    return `${this.#sessionId}/${id}`;
  }
}
