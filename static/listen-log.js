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
    const { target, final } = entry.segment;
    inLanguage(this.element, target.language);
    this.element.hidden = !target.text;
    this.element.classList.toggle("final", final);
    if (target.text) this.element.replaceChildren(...targetParts(entry));
  }
}

customElements.define("listen-log", ListenLog);
