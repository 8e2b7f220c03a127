/** Audio for a connection that carries bare PCM: worklets make it from a track, and play it. */

const LINGER_MS = 500; // so long the last of the speech takes to be heard

export class WorkletAudio {
  /** The translated speech. @type {MediaStream} */ stream;
  /** What the worklets told last, for whoever measures; see there. */
  reports = { encoder: null, player: null };
  #context;
  /** @type {MediaStreamAudioSourceNode|null} */ #source = null;
  #encoder;
  #player;

  /** @param {(chunk: ArrayBuffer) => void} onChunk  20 ms of Int16LE; give it back to `recycle` */
  static async make(onChunk) {
    const context = new AudioContext({ latencyHint: "interactive" });
    try {
      await Promise.all(["encoder", "player"].map((name) => load(context, name)));
      context.resume().catch(() => {}); // it stays silent until the person touches the page
      return new WorkletAudio(context, onChunk);
    } catch (error) {
      context.close();
      throw error;
    }
  }

  /** See `make`. */
  constructor(context, onChunk) {
    this.#context = context;
    this.#encoder = new AudioWorkletNode(context, "encoder", { numberOfOutputs: 0 });
    this.#encoder.port.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) onChunk(data);
      else this.reports.encoder = data;
    };
    this.#player = new AudioWorkletNode(context, "player", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#player.port.onmessage = ({ data }) => (this.reports.player = data);
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    this.#player.connect(destination);
    this.stream = destination.stream;
  }

  /** Hear this track from now on. @param {MediaStreamTrack} track */
  listen(track) {
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#encoder);
  }

  /** @param {ArrayBuffer} chunk  one of ours that is not needed any more */
  recycle(chunk) {
    this.#encoder.port.postMessage(chunk, [chunk]);
  }

  /** @param {ArrayBuffer} chunk  Int16LE, not to be used by the caller again */
  play(chunk) {
    this.#player.port.postMessage(chunk, [chunk]);
  }

  /** A sentence is complete: what follows it is not late. */
  finishSentence() {
    this.#player.port.postMessage("finished");
  }

  /** Stop speaking. */
  clear() {
    this.#player.port.postMessage("clear");
  }

  /** Listen no more; what waits is still played. */
  close() {
    this.#source?.disconnect();
    this.#encoder.port.postMessage("end");
    setTimeout(() => this.#context.close(), LINGER_MS);
  }
}

function load(context, name) {
  return context.audioWorklet.addModule(new URL(`../worklets/${name}.worklet.js`, import.meta.url));
}
