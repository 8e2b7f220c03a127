/**
 * `<caption-log>`: both captions of each segment, side by side or stacked, as the width allows.
 *
 * Text that is committed stands firm, what may still change is greyed. The log follows the newest
 * line until the reader scrolls back, and follows again once they return to the end. A screen
 * reader hears each finished translation once, never the revisions.
 */
import { text } from "./strings.js";

const AT_END_PX = 48;
const SPOKEN_LINES = 8;

export class CaptionLog extends HTMLElement {
  /** @type {Map<string, Row>} */ #rows = new Map();
  #list = document.createElement("ol");
  #announcer = document.createElement("div");
  #newest = document.createElement("button");
  #atEnd = true;

  connectedCallback() {
    this.#list.className = "segments";
    this.#list.tabIndex = 0; // so that the keyboard can scroll it
    this.#announcer.className = "visually-hidden";
    this.#announcer.setAttribute("role", "log");
    this.#newest.type = "button";
    this.#newest.className = "newest";
    this.#newest.hidden = true;
    this.#newest.addEventListener("click", () => this.#toEnd());
    this.#list.addEventListener("scroll", () => this.#noteScroll(), { passive: true });
    this.append(this.#list, this.#newest, this.#announcer);
    this.translateInterface();
    new ResizeObserver(() => this.#follow()).observe(this.#list);
  }

  /** Take the interface's language anew. */
  translateInterface() {
    this.#list.setAttribute("aria-label", text("captions"));
    this.#newest.textContent = text("newest");
    for (const row of this.#rows.values()) row.render();
  }

  /** @returns {boolean} whether nothing was said yet */
  get empty() {
    return this.#rows.size === 0;
  }

  /** Show a segment, new or revised. @param {import("./transcript.js").Segment} segment */
  show(segment) {
    let row = this.#rows.get(segment.key);
    if (!row) {
      row = new Row();
      this.#rows.set(segment.key, row);
      this.#list.append(row.element);
    }
    row.segment = segment;
    row.render();
    if (segment.final) this.#announce(row);
    this.#follow();
  }

  /**
   * Show where a segment's speech is.
   *
   * @param {string} key
   * @param {"queued"|"started"|"finished"|"dropped"} playout
   */
  showPlayout(key, playout) {
    const row = this.#rows.get(key);
    if (!row) return;
    row.playout = playout;
    row.render();
  }

  /** Nothing that is still unfinished will be finished now: the session is over. */
  settle() {
    for (const [key, row] of this.#rows) {
      row.playout = "finished";
      if (!row.segment.final && !row.segment.source.text) {
        row.element.remove();
        this.#rows.delete(key);
      } else {
        row.over = true;
        row.render();
      }
    }
  }

  clear() {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#announcer.replaceChildren();
  }

  #announce(row) {
    const line = document.createElement("p");
    const understood = row.segment.status !== "not_understood";
    if (understood) line.lang = row.segment.target.language;
    line.textContent = understood ? row.target.textContent : text("notUnderstood");
    this.#announcer.append(line);
    if (this.#announcer.childElementCount > SPOKEN_LINES) this.#announcer.firstChild.remove();
  }

  #noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    this.#newest.hidden = this.#atEnd;
  }

  #follow() {
    if (this.#atEnd) this.#list.scrollTop = this.#list.scrollHeight;
    else this.#newest.hidden = false;
  }

  #toEnd() {
    this.#atEnd = true;
    this.#follow();
  }
}

/** One segment on screen. */
class Row {
  /** @type {import("./transcript.js").Segment} */ segment;
  /** @type {string} */ playout = "";
  /** The session ended before the segment did. */ over = false;
  element = document.createElement("li");
  source = document.createElement("div");
  target = document.createElement("div");
  hints = document.createElement("ul");

  constructor() {
    this.element.className = "segment";
    this.source.className = "source";
    this.target.className = "target";
    this.hints.className = "hints";
    this.source.dir = this.target.dir = "auto";
    this.element.append(this.source, this.target);
  }

  render() {
    const { status, source, target, final } = this.segment;
    this.element.dataset.status = status;
    this.element.dataset.playout = this.playout;
    this.source.lang = source.language;
    this.target.lang = target.language;
    this.source.replaceChildren(...caption(source, final));
    if (status === "not_understood") this.#renderHints();
    else this.target.replaceChildren(...this.#targetParts());
  }

  #targetParts() {
    const { status, target, final, message } = this.segment;
    if (status === "failed") return [note(message || text("failed"))];
    if (this.playout === "dropped") return [...caption(target, final), note(text("notSpoken"))];
    if (!target.text && !this.over) return [span("pending", "")];
    return caption(target, final);
  }

  /** What it might have been: each near phrase in the pane of its language. */
  #renderHints() {
    const { hints = [], source, target } = this.segment;
    const words = text("notUnderstood") + (hints.length ? ` ${text("didYouMean")}` : "");
    this.target.replaceChildren();
    (source.text ? this.target : this.source).replaceChildren(note(words));
    this.hints.replaceChildren();
    for (const hint of hints) {
      const item = document.createElement("li");
      const meant = span("hint-source", hint.source);
      meant.lang = source.language;
      const means = span("hint-target", hint.target);
      means.lang = target.language;
      item.append(meant, " ", means);
      this.hints.append(item);
    }
    if (hints.length) this.element.append(this.hints);
  }
}

/** Committed text firm, the rest greyed. */
function caption({ text: words, stable_chars: stable }, final) {
  const firm = final ? words.length : stable;
  return [span("firm", words.slice(0, firm)), span("soft", words.slice(firm))];
}

function note(words) {
  const paragraph = document.createElement("p");
  paragraph.className = "note";
  paragraph.lang = document.documentElement.lang;
  paragraph.textContent = words;
  return paragraph;
}

function span(className, words) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = words;
  return element;
}

customElements.define("caption-log", CaptionLog);
