/** One segment on screen, and the words of it. */
import { clock, text } from "./i18n.js";
import { direction } from "./languages.js";

/**
 * What shows a segment among others.
 *
 * @typedef {{element: HTMLElement, render: (entry: Entry) => void}} SegmentRow
 *
 * What is known of one segment on screen.
 *
 * @typedef {object} Entry
 * @property {import("./transcript.js").Segment} segment
 * @property {string} playout  where its speech is, as in x.playout
 * @property {[number, number][]} skipped  parts of the translation that the voice left out
 * @property {boolean} over  the session ended before the segment did
 * @property {SegmentRow|null} row  while it is among the lines shown
 */

/** One segment on screen. */
export class Row {
  element = document.createElement("li");
  #said = document.createElement("time");
  #source = document.createElement("div");
  #target = document.createElement("div");

  constructor() {
    this.element.className = "segment";
    this.#source.className = "source";
    this.#target.className = "target";
    this.element.append(this.#said, this.#source, this.#target);
  }

  /** @param {Entry} entry */
  render(entry) {
    const { status, at, source, target, final } = entry.segment;
    this.element.dataset.status = status;
    this.element.dataset.playout = entry.playout;
    this.#said.dateTime = at.toISOString();
    this.#said.textContent = clock(at);
    inLanguage(this.#source, source.language);
    inLanguage(this.#target, target.language);
    this.#source.replaceChildren(...caption(source, final));
    if (status === "not_understood") this.#renderPuzzle(entry.segment);
    else this.#target.replaceChildren(...targetParts(entry));
  }

  /**
   * One line, with the nearest phrase and what that means, each in the pane of its language.
   *
   * @param {import("./transcript.js").Segment} segment
   */
  #renderPuzzle({ hints, source, target }) {
    const near = hints?.[0];
    const puzzle = note(text("notUnderstood") + (near ? ` ${text("didYouMean")} ` : ""));
    this.#source.replaceChildren(puzzle);
    this.#target.replaceChildren();
    if (!near) return;
    puzzle.append(inLanguage(span("hint-source", near.source), source.language));
    const meaning = note("");
    meaning.append(inLanguage(span("hint-target", near.target), target.language));
    this.#target.append(meaning);
  }
}

/**
 * The translation, or why there is none.
 *
 * @param {Pick<Entry, "segment"|"playout"|"over"> & Partial<Entry>} entry
 * @param {(path: string) => string} [say]  the words, where they are not the interface's
 * @returns {HTMLElement[]}
 */
export function targetParts({ segment, playout, over, skipped = [] }, say = text) {
  const { status, target, final, code } = segment;
  if (status === "failed") return [note(failure(code, say))];
  if (playout === "dropped") return [...caption(target, final), note(say("notSpoken"))];
  if (!target.text && !over) return [span("pending", "")];
  return caption(target, final, skipped);
}

/**
 * Why a phrase has no translation, in words for people.
 *
 * @param {string} [code]  as in x.segment
 * @param {(path: string) => string} [say]
 */
export function failure(code, say = text) {
  return say(`failure.${code}`) ?? say("failed");
}

/** Committed text firm, the rest greyed, "…" before what stays unspoken. @returns {HTMLElement[]} */
export function caption({ text: words, stable_chars: stable }, final, skipped = []) {
  const firm = final ? words.length : stable;
  const parts = [];
  let at = 0;
  for (const [from, to] of [...skipped].sort(([one], [other]) => one - other)) {
    parts.push(span("firm", words.slice(at, from)), unspoken(words.slice(from, to)));
    at = to;
  }
  const soft = Math.max(at, firm);
  return [...parts, span("firm", words.slice(at, soft)), span("soft", words.slice(soft))];
}

/** @param {string} words */
function unspoken(words) {
  const part = span("unspoken", `… ${words}`);
  part.title = text("notSpoken");
  return part;
}

/** A sentence of the page's own among the captions. @param {string} words */
export function note(words) {
  const paragraph = document.createElement("p");
  paragraph.className = "note";
  paragraph.textContent = words;
  return inLanguage(paragraph, document.documentElement.lang);
}

/** @template {HTMLElement} T @param {T} element @param {string} language ISO 639-1 @returns {T} */
export function inLanguage(element, language) {
  element.lang = language;
  element.dir = direction(language);
  return element;
}

function span(className, words) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = words;
  return element;
}
