/** `<listen-log>`: the captions of one language as a listener reads them, one line for each segment. */
import { inLanguage, targetParts } from "./caption-row.js";
import { CaptionLog } from "./captions.js";

export class ListenLog extends CaptionLog {
  createRow() {
    return new Line();
  }

  /** A listener is told what was said, not what was not understood. */
  announcement({ status, target }) {
    return status === "final" && target.text ? { words: target.text, lang: target.language } : null;
  }
}

class Line {
  element = document.createElement("li");

  constructor() {
    this.element.className = "line";
  }

  /** @param {import("./caption-row.js").Entry} entry */
  render(entry) {
    const { target, final, status } = entry.segment;
    const shown = target.text !== "" || status === "failed"; // else a listener waits for it
    inLanguage(this.element, target.language);
    this.element.hidden = !shown;
    this.element.classList.toggle("final", final);
    if (shown) this.element.replaceChildren(...targetParts(entry));
  }
}

customElements.define("listen-log", ListenLog);
