/**
 * What was said, wherever the page shows it: the log, the halves of two people, the caption window.
 * And what an earlier visit left on this device, until it is shown or cleared.
 */
import { showEarlier } from "./captions.js";
import { find } from "./dom.js";
import { text } from "./i18n.js";
import { forgetSegments, keepSegment, keptSegments } from "./kept.js";
import { Transcript } from "./transcript.js";

/** Fires "change" {} when there may be more or less of it. */
export class Said extends EventTarget {
  /** What shows captions. @type {Set<import("./captions.js").CaptionView>} */ views;
  #log;
  #transcript = new Transcript();
  #earlier = keptSegments();
  #running = false;

  /** @param {import("./captions.js").CaptionLog} log */
  constructor(log) {
    super();
    this.#log = log;
    this.views = new Set([log]);
    find("#show-earlier", HTMLButtonElement).addEventListener("click", () => this.#restore());
  }

  /** Everything, in the order of speaking. */
  get segments() {
    return this.#transcript.segments;
  }

  /** What was understood. */
  get understood() {
    return this.#transcript.understood;
  }

  /** Whether there is nothing to clear, not even what was not understood. */
  get empty() {
    return this.#log.empty && !this.#earlier.length;
  }

  /** Take an x.segment event. @returns {import("./transcript.js").Segment|null} null when it is late */
  take(event) {
    const segment = this.#transcript.apply(event, new Date());
    if (!segment) return null;
    if (segment.status === "final") keepSegment(segment);
    for (const view of this.views) view.show(segment);
    this.#invite();
    return segment;
  }

  /** Take an x.playout event. */
  playout({ key, state, skipped }) {
    for (const view of this.views) {
      if (state === "skipped") view.showSkipped(key, skipped);
      else view.showPlayout(key, state);
    }
  }

  /** What is unfinished stays so. */
  settle() {
    for (const view of this.views) view.settle();
  }

  forget() {
    this.#transcript.clear();
    this.#earlier = [];
    forgetSegments();
    for (const view of this.views) view.clear();
    this.#invite();
  }

  /** What stands there before the first word. @param {boolean} running  whether there is a session */
  invite(running) {
    this.#running = running;
    this.#invite();
  }

  /** Take the interface's language anew. */
  translateInterface() {
    for (const view of this.views) view.translateInterface();
  }

  #invite() {
    find("#invitation", HTMLElement).hidden = !this.#log.empty;
    find("#earlier", HTMLElement).hidden = !this.#earlier.length;
    const title = text(this.#running ? "inviteSpeak" : "inviteTitle");
    find("#invitation-title", HTMLElement).textContent = title;
    this.dispatchEvent(new Event("change"));
  }

  #restore() {
    this.#transcript.restore(this.#earlier);
    for (const view of this.views) showEarlier(view, this.#earlier);
    this.#earlier = [];
    this.#invite();
  }
}
