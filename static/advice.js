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

  /**
   * Loudspeakers are a matter only of an open microphone.
   *
   * @param {import("./audio.js").Source|null} source  what is listened to
   * @param {string} device  name of what plays, or ""
   */
  consider(source, device) {
    if (source?.kind !== "microphone") return this.hide();
    this.#device = device;
    this.#bar.hidden = !isLoudspeaker(device) || recall(KEY, []).includes(device);
  }

  hide() {
    this.#bar.hidden = true;
  }
}
