/** The controls of a file that is translated: which one, play and pause, where in it. */
import { find } from "./dom.js";
import { text } from "./i18n.js";
import { withLoaded } from "./loading.js";

/** Fires "chosen" {} with a new file, "ended" {} when it has played to its end. */
export class FilePlayer extends EventTarget {
  /** @type {import("./file.js").FileSource|null} */ #source = null;
  #bar;
  #picker;
  #name;
  #choose;
  #play;
  #position;
  #time;

  /** @param {HTMLElement} bar */
  constructor(bar) {
    super();
    this.#bar = bar;
    this.#picker = find("[type=file]", HTMLInputElement, bar);
    this.#name = find(".file-name", HTMLElement, bar);
    this.#play = find("#file-play", HTMLButtonElement, bar);
    this.#position = find("[type=range]", HTMLInputElement, bar);
    this.#time = find("time", HTMLElement, bar);
    this.#choose = find("#file-choose", HTMLButtonElement, bar);
    this.#choose.addEventListener("click", () => this.choose());
    this.#picker.addEventListener("change", () => this.take(this.#picker.files[0]));
    this.#play.addEventListener("click", () => {
      if (this.#source.playing) this.#source.pause();
      else this.#source.play();
    });
    this.#position.addEventListener("input", () => (this.#source.position = this.#position.valueAsNumber));
    this.render();
    this.take(this.#picker.files[0]); // chosen before the page was ready
  }

  /** What was chosen. @returns {import("./file.js").FileSource|null} */
  get source() {
    return this.#source;
  }

  /** Let the person choose a file. */
  choose() {
    this.#picker.click();
  }

  /** @param {File|undefined} file */
  take(file) {
    if (!file) return; // the dialog was closed without a choice
    this.#picker.value = ""; // so that the same file can be chosen again
    withLoaded(
      () => import("./file.js"),
      ({ FileSource }) => this.#open(new FileSource(file)),
    );
  }

  /** @param {import("./file.js").FileSource} source */
  #open(source) {
    this.#source?.discard();
    this.#source = source;
    source.addEventListener("change", () => this.#showPosition());
    source.addEventListener("ended", () => this.dispatchEvent(new Event("ended")));
    this.render();
    this.dispatchEvent(new Event("chosen"));
  }

  /** Whether a file is what is listened to. @param {boolean} shown */
  set shown(shown) {
    this.#bar.hidden = !shown;
  }

  /** Take the interface's language anew. */
  render() {
    this.#name.textContent = this.#source?.name ?? text("noFile");
    this.#choose.textContent = text(this.#source ? "changeFile" : "chooseFile");
    this.#showPosition();
  }

  #showPosition() {
    const source = this.#source;
    const { heard = false, playing = false, position = 0, duration = 0 } = source ?? {};
    const label = text(playing ? "pauseFile" : "playFile");
    this.#play.disabled = !heard;
    this.#play.toggleAttribute("data-playing", playing);
    this.#play.title = label;
    this.#play.setAttribute("aria-label", label);
    const known = Number.isFinite(duration) && duration > 0;
    this.#position.disabled = !known;
    this.#position.max = String(known ? duration : 1);
    this.#position.value = String(position);
    const written = known ? `${clock(position)} / ${clock(duration)}` : clock(position);
    this.#position.setAttribute("aria-valuetext", written);
    this.#time.textContent = source ? written : "";
  }
}

/** 83.4 as 1:23. @param {number} seconds */
function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
