/**
 * `<caption-log>`: both captions of each segment, side by side or stacked.
 *
 * Text that is committed stands firm, what may still change is greyed. The log follows the newest
 * line until the reader scrolls back, and follows again once they return to the end. Only the
 * newest lines are elements of the page; scrolling back brings older ones. A screen reader hears
 * each finished translation once, never the revisions.
 */
import { Row, failure } from "./caption-row.js";
import { reachByKeyboard } from "./client/scrolling.js";
import { text } from "./i18n.js";
import "./interface.js"; // an element in the markup has its words from the first

const AT_END_PX = 48;
const NEAR_TOP_PX = 200;
const SPOKEN_LINES = 8;
const SHOWN_ROWS = 120;
const MORE_ROWS = 60;

/**
 * What shows captions as they come; `CaptionLog` is one.
 *
 * @typedef {import("./caption-row.js").Entry} Entry
 * @typedef {import("./caption-row.js").SegmentRow} SegmentRow
 * @typedef {Pick<CaptionLog, "show"|"showPlayout"|"showSkipped"|"settle"|"clear"|"translateInterface">} CaptionView
 */

export class CaptionLog extends HTMLElement {
  /** @type {Map<string, Entry>} */ #entries = new Map();
  /** @type {Entry[]} the same, in order */ #order = [];
  /** Where in `#order` the lines shown begin. */ #first = 0;
  #list = document.createElement("ol");
  #announcer = document.createElement("div");
  #newest = document.createElement("button");
  #atEnd = true;
  /** Width and height when the end was last looked for. */ #box = "";

  connectedCallback() {
    this.#list.className = "segments";
    this.#announcer.className = "visually-hidden";
    this.#announcer.setAttribute("role", "log");
    this.#newest.type = "button";
    this.#newest.className = "newest";
    this.#newest.hidden = true;
    this.#newest.addEventListener("click", () => this.#toEnd());
    this.#list.addEventListener("scroll", () => this.#noteScroll(), { passive: true });
    this.append(this.#list, this.#newest, this.#announcer);
    this.translateInterface();
    reachByKeyboard(this.#list);
    new ResizeObserver(() => {
      this.#box = this.#size;
      this.#follow();
    }).observe(this.#list);
    const look = new MutationObserver(() => this.#follow()); // larger type, another layout
    look.observe(document.documentElement, { attributes: true });
  }

  /** Take the interface's language anew. */
  translateInterface() {
    this.#list.setAttribute("aria-label", text("captions"));
    this.#newest.textContent = text("newest");
    for (const entry of this.#order) entry.row?.render(entry);
  }

  /** @returns {boolean} whether nothing was said yet */
  get empty() {
    return this.#order.length === 0;
  }

  /**
   * Show a segment, new or revised.
   *
   * @param {import("./transcript.js").Segment} segment
   * @param {boolean} [now]  whether it was said just now, and is to be read out
   */
  show(segment, now = true) {
    let entry = this.#entries.get(segment.key);
    if (!entry) {
      entry = { segment, playout: "", skipped: [], over: false, row: this.createRow() };
      this.#entries.set(segment.key, entry);
      this.#order.push(entry);
      this.#list.append(entry.row.element);
    }
    entry.segment = segment;
    entry.row?.render(entry);
    if (segment.final && now) this.#announce(segment);
    this.#follow();
  }

  /**
   * Show where a segment's speech is.
   *
   * @param {string} key
   * @param {"queued"|"started"|"finished"|"dropped"} playout
   */
  showPlayout(key, playout) {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.playout = playout;
    entry.row?.render(entry);
  }

  /**
   * Mark a part of a translation that the voice left out.
   *
   * @param {string} key
   * @param {[number, number]} part
   */
  showSkipped(key, part) {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.skipped.push(part);
    entry.row?.render(entry);
  }

  /** Nothing that is still unfinished will be finished now: the session is over. */
  settle() {
    const lost = ({ segment }) => !segment.final && !segment.source.text;
    for (const entry of this.#order) {
      if (entry.playout !== "dropped") entry.playout = "finished";
      entry.over = true;
      if (!lost(entry)) entry.row?.render(entry);
      else {
        entry.row?.element.remove();
        this.#entries.delete(entry.segment.key);
      }
    }
    this.#order = [...this.#entries.values()];
    this.#first = Math.max(0, this.#order.findIndex((entry) => entry.row));
  }

  clear() {
    this.#entries.clear();
    this.#order = [];
    this.#first = 0;
    this.#list.replaceChildren();
    this.#announcer.replaceChildren();
  }

  /** @protected @returns {SegmentRow} */
  createRow() {
    return new Row();
  }

  /**
   * What a screen reader is told of a finished segment.
   *
   * @protected
   * @param {import("./transcript.js").Segment} segment
   * @returns {{words: string, lang?: string}|null}
   */
  announcement({ status, target, code }) {
    if (status === "not_understood") return { words: text("notUnderstood") };
    if (status === "failed") return { words: failure(code) };
    return { words: target.text, lang: target.language };
  }

  #announce(segment) {
    const spoken = this.announcement(segment);
    if (!spoken) return;
    const line = document.createElement("p");
    if (spoken.lang) line.lang = spoken.lang;
    line.textContent = spoken.words;
    this.#announcer.append(line);
    if (this.#announcer.childElementCount > SPOKEN_LINES) this.#announcer.firstChild.remove();
  }

  get #size() {
    return `${this.#list.clientWidth} ${this.#list.clientHeight}`;
  }

  #noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    // A window that turns scrolls by itself, never to the top; its new size is followed in this frame.
    if (scrollTop && this.#size !== this.#box) return;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    this.#newest.hidden = this.#atEnd;
    if (!this.#atEnd && scrollTop < NEAR_TOP_PX) this.#showOlder();
  }

  #follow() {
    if (this.#atEnd) {
      this.#dropOldest();
      this.#list.scrollTop = this.#list.scrollHeight;
    } else this.#newest.hidden = false;
  }

  #toEnd() {
    this.#list.focus({ preventScroll: true }); // the button goes
    this.#atEnd = true;
    this.#follow();
  }

  #dropOldest() {
    const first = Math.max(this.#first, this.#order.length - SHOWN_ROWS);
    for (const entry of this.#order.slice(this.#first, first)) {
      entry.row.element.remove();
      entry.row = null;
    }
    this.#first = first;
  }

  /** Older lines, above those the reader sees: what they read stays where it is. */
  #showOlder() {
    const first = Math.max(0, this.#first - MORE_ROWS);
    const older = this.#order.slice(first, this.#first);
    if (!older.length) return;
    for (const entry of older) {
      entry.row = this.createRow();
      entry.row.render(entry);
    }
    const { scrollHeight, scrollTop } = this.#list;
    this.#list.prepend(...older.map(({ row }) => row.element));
    this.#list.scrollTop = scrollTop + this.#list.scrollHeight - scrollHeight;
    this.#first = first;
  }
}

/** Show what was said before the view was there. @param {CaptionView} view  @param {import("./transcript.js").Segment[]} segments */
export function showEarlier(view, segments) {
  for (const segment of segments) view.show(segment, false);
}

customElements.define("caption-log", CaptionLog);
