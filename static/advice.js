/** The bar that advises headphones. Dismissed once, it does not come back for that device. */
import { isLoudspeaker } from "./headset.js";
import { recall, remember } from "./prefs.js";

const KEY = "loudspeakersAccepted";

export class HeadphoneAdvice {
  #bar;
  #device = "";

  /** @param {HTMLElement} bar */
  constructor(bar) {
    this.#bar = bar;
    bar.querySelector("button").addEventListener("click", () => {
      remember(KEY, [...recall(KEY, []), this.#device]);
      bar.hidden = true;
    });
  }

  /** A microphone listens while this plays. @param {string} device  its name, or "" */
  consider(device) {
    this.#device = device;
    this.#bar.hidden = !isLoudspeaker(device) || recall(KEY, []).includes(device);
  }

  hide() {
    this.#bar.hidden = true;
  }
}
