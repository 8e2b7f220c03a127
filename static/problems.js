/** The bar that says what went wrong, and what to do about it. */
import { find } from "./dom.js";
import { duration, interfaceLanguage, text } from "./i18n.js";

/** Of the problems that the page for tests explains. */
const TESTABLE = /^(microphone|connect|connection|webrtc|worklet|insecure|server_unreachable)/;
/** What the button does, where it does not try again: keys of the strings' "action". */
const ACTIONS = { playback_blocked: "play", no_pause: "hold" };

export class ProblemBar {
  #bar;
  #action;
  /** @type {{code: string, detail: string, waitMs: number, retry: (() => void)|null}|null} */ #shown = null;

  /** @param {HTMLElement} bar */
  constructor(bar) {
    this.#bar = bar;
    this.#action = find("#problem-action", HTMLElement, bar);
    this.#action.addEventListener("click", () => {
      const { retry } = this.#shown;
      this.hide();
      retry();
    });
    bar.querySelector("#problem-dismiss").addEventListener("click", () => this.hide());
  }

  /**
   * @param {string} code  a key of the strings' "problem"
   * @param {{detail?: string, waitMs?: number, retry?: (() => void)|null}} [more]  the
   *     server's own sentence; how long it asks to wait; what the button does, if there is one
   */
  show(code, { detail = "", waitMs = 0, retry = null } = {}) {
    this.#shown = { code, detail, waitMs, retry };
    this.render();
  }

  /** @param {string} [code]  hide it only while it shows this */
  hide(code = this.#shown?.code) {
    if (this.#shown?.code !== code) return;
    this.#shown = null;
    this.#bar.hidden = true;
  }

  /** Take the interface's language anew. */
  render() {
    if (!this.#shown) return;
    const { code, detail, waitMs, retry } = this.#shown;
    const [title, advice] = text(`problem.${code}`) ?? text("problem.server_refused");
    this.#bar.querySelector(".problem-title").textContent = title;
    // The server's own sentences are English.
    this.#bar.querySelector(".problem-detail").textContent = interfaceLanguage() === "en" ? detail : "";
    find("a", HTMLElement, this.#bar).hidden = !TESTABLE.test(code);
    this.#bar.querySelector(".problem-text").textContent = waitMs ? text("tryIn", { time: duration(waitMs) }) : advice;
    this.#action.hidden = !retry;
    this.#action.textContent = text(`action.${ACTIONS[code] ?? "retry"}`);
    this.#bar.hidden = false;
  }
}
