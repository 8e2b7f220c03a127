/**
 * How far the voice is behind whoever speaks, while it speaks along. It stands outside the status's
 * live region: a screen reader finds it, and does not announce each change.
 */
import { interfaceLanguage, text } from "./i18n.js";
import { write } from "./write.js";

export class Lag {
  #element;
  #simultaneous = false;
  /** @type {number|null} */ #ms = null;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** The session works in another mode now, or has ended. @param {string} [mode]  as in x.session */
  set mode(mode) {
    this.#simultaneous = mode !== undefined && mode !== "consecutive";
    if (!this.#simultaneous) this.#ms = null;
    this.render();
  }

  /** Take an x.metrics event. */
  take({ ear_voice_ms: ms }) {
    if (this.#simultaneous) this.#ms = ms;
    this.render();
  }

  render() {
    this.#element.hidden = this.#ms === null;
    if (this.#ms === null) return;
    const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
    const seconds = new Intl.NumberFormat(interfaceLanguage(), digits).format(this.#ms / 1000);
    write(this.#element, text("behind", { seconds }));
  }
}
