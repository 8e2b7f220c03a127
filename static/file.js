/**
 * A local audio or video file as a source: played in real time, and heard only by whoever is
 * given its track.
 *
 * Fires "change" {} when anything the controls show is different, "ended" {} at its end.
 */
import { SourceError } from "./devices.js";
import { audioGraph } from "./graph.js";

export class FileSource extends EventTarget {
  #media = new Audio(); // plays the sound of a video, too
  /** @type {MediaElementAudioSourceNode|null} */ #node = null;
  /** Whether the interpreter listens. */ #heard = false;

  /** @param {File} file */
  constructor(file) {
    super();
    this.name = file.name;
    this.#media.preload = "auto";
    this.#media.src = URL.createObjectURL(file);
    for (const type of ["play", "pause", "timeupdate", "durationchange", "seeked"]) {
      this.#media.addEventListener(type, () => this.#changed());
    }
    this.#media.addEventListener("ended", () => this.dispatchEvent(new Event("ended")));
  }

  /** Read its beginning. @throws {SourceError} file_unreadable */
  async load() {
    const { promise, resolve, reject } = settled();
    this.#media.addEventListener("canplay", resolve, { once: true });
    this.#media.addEventListener("error", reject, { once: true });
    if (this.#media.error) reject();
    else if (this.#media.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) resolve();
    await promise.catch(() => {
      throw new SourceError("file_unreadable");
    });
  }

  /** @returns {Promise<import("./audio.js").Source>} that plays from where the file stands */
  async open() {
    await this.load();
    const context = await audioGraph();
    this.#node ??= context.createMediaElementSource(this.#media);
    const listener = context.createMediaStreamDestination();
    this.#node.connect(listener);
    const [track] = listener.stream.getAudioTracks();
    return {
      kind: "file",
      track,
      playable: true,
      begin: () => {
        this.#heard = true;
        this.play();
      },
      close: () => {
        this.#heard = false;
        this.#media.pause();
        this.#node.disconnect(listener);
        track.stop();
        this.#changed();
      },
    };
  }

  /** Whether the interpreter listens, so that it can be played. */
  get heard() {
    return this.#heard;
  }

  get playing() {
    return !this.#media.paused;
  }

  /** Seconds. */
  get position() {
    return this.#media.currentTime;
  }

  set position(seconds) {
    this.#media.currentTime = seconds;
  }

  /** Seconds; 0 while it is not known, Infinity where the file does not say. */
  get duration() {
    return this.#media.duration || 0;
  }

  play() {
    this.#media.play().catch(() => {}); // paused again before it began
    this.#changed();
  }

  pause() {
    this.#media.pause();
  }

  /** Free it; it cannot be used any more. */
  discard() {
    this.#media.pause();
    URL.revokeObjectURL(this.#media.src);
    this.#media.removeAttribute("src");
    this.#media.load();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Promise.withResolvers, which not all browsers have. */
function settled() {
  /** @type {(value?: any) => void} */ let resolve = () => {};
  /** @type {(reason?: any) => void} */ let reject = () => {};
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
}
