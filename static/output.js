/**
 * What is heard: the translation, the original under it, and the last translation once more.
 *
 * The translation plays through a media element straight from the network, what this page makes
 * through a second one: a browser's echo cancellation knows what elements play, and both can be
 * sent to a chosen device.
 *
 * Events: "level" {rms} of the translation, "change" {} when `speaking`, `replaying` or
 * `replayable` is another.
 */
import { canChooseOutput } from "./devices.js";
import { Ducking, follow } from "./ducking.js";
import { audioGraph, meterNode, trackNode } from "./graph.js";
import { mixGains } from "./mix.js";
import { SpeakingWatch } from "./speaking.js";
import { cutPhrase } from "./phrase-cut.js";

const PRE_ROLL_S = 0.2; // its sound may be here before the event that announces it

export class Output extends EventTarget {
  #translation;
  #local;
  #gains = mixGains({ mix: 0.5, originalMuted: false, translationMuted: false });
  #volume = 1;
  #ducking = new Ducking();
  #watch = new SpeakingWatch();
  #speaking = false;
  #ducked = false;
  /** @type {{from: number, joined: boolean}|null} where the last phrase begins */ #phrase = null;
  /** Whether the tape has been asked for it. */ #asked = false;
  /** @type {AudioBuffer|null} */ #kept = null;
  /** @type {AudioBufferSourceNode|null} */ #replaying = null;
  /** @type {AudioContext|null} */ #context = null;
  #meter;
  #tape;
  #duck;
  #originalGain;
  #replayGain;
  /** @type {MediaStreamTrack|null} */ #under = null;
  /** @type {AudioNode|null} */ #original = null;
  /** @type {AudioNode|null} */ #incoming = null;

  /**
   * @param {HTMLAudioElement} translation
   * @param {HTMLAudioElement} local
   */
  constructor(translation, local) {
    super();
    this.#translation = translation;
    this.#local = local;
  }

  /** Whether the translation is heard right now. */
  get speaking() {
    return this.#speaking;
  }

  /** Whether the last translation is being repeated. */
  get replaying() {
    return this.#replaying !== null;
  }

  /** Whether there is something to repeat, and nobody speaks. */
  get replayable() {
    return this.#kept !== null && !this.#speaking;
  }

  /** @param {{volume: number, mix: number, originalMuted: boolean, translationMuted: boolean}} controls */
  set controls(controls) {
    this.#gains = mixGains(controls);
    this.#volume = controls.volume;
    this.#applyGains();
    this.#update();
  }

  /** Play on another device; on the default one when it cannot. @param {string} id  "" for the default */
  async playOn(id) {
    if (!canChooseOutput()) return;
    const move = async (element) => element.sinkId === id || element.setSinkId(id);
    await Promise.all([move(this.#translation), move(this.#local)]);
  }

  /**
   * Play the translation.
   *
   * @param {MediaStream} stream
   * @throws {DOMException} NotAllowedError where the browser wants a gesture first
   */
  async play(stream) {
    this.#translation.srcObject = stream;
    const playing = this.#translation.play();
    playing.catch(() => {}); // told below, after the rest
    await this.#build();
    if (this.#translation.srcObject !== stream) return; // over before it began
    this.#incoming?.disconnect();
    this.#incoming = trackNode(stream.getAudioTracks()[0]);
    this.#incoming.connect(this.#meter);
    this.#incoming.connect(this.#tape);
    await playing;
  }

  /** Play this under the translation, or nothing. @param {MediaStreamTrack|null} track */
  async underlay(track) {
    this.#under = track;
    if (track) await this.#build();
    if (this.#under !== track) return; // another one meanwhile
    this.#original?.disconnect();
    this.#original = track && trackNode(track);
    this.#original?.connect(this.#duck);
  }

  /** Take an x.playout event. */
  playout({ key, state }) {
    if (!this.#context) return;
    const now = this.#context.currentTime;
    if (state === "started") {
      const joined = this.#speaking;
      this.#phrase = { from: joined ? now : now - PRE_ROLL_S, joined };
    }
    this.#watch.playout(key, state, now);
    this.#update();
  }

  /** Repeat the last translation. */
  async replay() {
    this.stopReplay();
    await this.#build();
    const node = new AudioBufferSourceNode(this.#context, { buffer: this.#kept });
    node.connect(this.#replayGain);
    node.addEventListener("ended", () => {
      if (this.#replaying === node) this.stopReplay();
    });
    this.#replaying = node;
    node.start();
    this.#update();
    this.#changed();
  }

  stopReplay() {
    if (!this.#replaying) return;
    this.#replaying.stop();
    this.#replaying = null;
    this.#update();
    this.#changed();
    this.#rest();
  }

  /** The conversation is over. */
  stop() {
    this.#translation.srcObject = null;
    this.#incoming?.disconnect();
    this.#incoming = null;
    this.underlay(null);
    this.#watch = new SpeakingWatch(); // what was announced will not come
    this.#update();
    this.#rest();
  }

  async #build() {
    const context = await audioGraph();
    if (this.#context) return;
    this.#context = context;
    const speakers = context.createMediaStreamDestination();
    this.#meter = meterNode((rms) => this.#heard(rms));
    this.#tape = new AudioWorkletNode(context, "tape", { numberOfOutputs: 0 });
    this.#tape.port.onmessage = ({ data }) => this.#keep(data);
    this.#duck = context.createGain();
    this.#originalGain = context.createGain();
    this.#replayGain = context.createGain();
    this.#duck.connect(this.#originalGain).connect(speakers);
    this.#replayGain.connect(speakers);
    this.#replayGain.connect(this.#meter);
    this.#local.srcObject = speakers.stream; // it plays by itself
    this.#applyGains();
  }

  #applyGains() {
    const { original, translation } = this.#gains;
    this.#translation.volume = this.#volume * translation;
    this.#local.volume = this.#volume;
    if (!this.#context) return;
    this.#originalGain.gain.value = original;
    this.#replayGain.gain.value = translation;
  }

  #heard(rms) {
    if (this.#incoming && !this.#replaying) this.#watch.level(rms, this.#context.currentTime);
    this.dispatchEvent(new CustomEvent("level", { detail: { rms } }));
    this.#update();
  }

  #update() {
    if (!this.#context) return;
    const now = this.#context.currentTime;
    const speaking = this.#watch.speaking(now);
    const ducked = (speaking || this.replaying) && this.#gains.translation > 0;
    if (ducked !== this.#ducked) {
      this.#ducked = ducked;
      follow(this.#duck.gain, this.#ducking.turn(ducked, now));
    }
    if (speaking === this.#speaking) return;
    this.#speaking = speaking;
    if (!speaking && this.#phrase) {
      this.#asked = true;
      this.#tape.port.postMessage(this.#phrase);
      this.#phrase = null;
    }
    this.#changed();
  }

  /** Take what the tape holds of the last phrase. @param {{samples: Float32Array<ArrayBuffer>, joined: boolean}} tape */
  #keep({ samples, joined }) {
    this.#asked = false;
    const { sampleRate } = this.#context;
    const speech = cutPhrase(samples, sampleRate, joined);
    if (speech.length) {
      this.#kept = new AudioBuffer({ length: speech.length, sampleRate });
      this.#kept.copyToChannel(speech, 0);
      this.#changed();
    }
    this.#rest();
  }

  /** Let the audio thread sleep while there is nothing to play. */
  #rest() {
    if (!this.#incoming && !this.#replaying && !this.#asked) this.#context?.suspend();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
