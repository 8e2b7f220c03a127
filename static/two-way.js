/**
 * `<two-way>`: two people and one device. Each has a half of the screen with a language, the
 * captions in that language and a button to talk with; on a phone that lies between them the far
 * half can be turned around.
 *
 * Fires "turn" when someone begins to talk, in `direction`, and "turn-end" when they stop.
 */
import { caption, failure, inLanguage, note, targetParts } from "./caption-row.js";
import { CaptionLog } from "./captions.js";
import { fillSelect, mutual } from "./languages.js";
import { recall, remember } from "./prefs.js";
import { interfaceLanguage, interfaceLanguages, ownName, text, textIn } from "./i18n.js";
import { Turns } from "./turns.js";

/** What one person reads: their own words small, and the other's in their language. */
export class SideLog extends CaptionLog {
  /** ISO 639-1; what was said before a change of language stays. */ language = "";

  createRow() {
    return new SideRow(this.language);
  }

  /** One's own words are not read out, but what became of them is; all in the language that is shown. */
  announcement(segment) {
    const own = segment.source.language === this.language;
    const lang = wordsOf(this.language);
    const { status, code } = segment;
    if (status === "failed") return { words: failure(code, (path) => textIn(lang, path)), lang };
    if (!own) return status === "not_understood" ? null : super.announcement(segment);
    return status === "not_understood" ? { words: puzzle(segment, lang), lang } : null;
  }
}

class SideRow {
  element = document.createElement("li");
  #language;
  #words = document.createElement("p");

  constructor(language) {
    this.#language = language;
    this.element.append(this.#words);
  }

  render(entry) {
    const { source, target, status, final } = entry.segment;
    const own = source.language === this.#language;
    this.element.className = own ? "line own" : "line";
    this.element.dataset.status = status;
    this.element.dataset.playout = entry.playout;
    inLanguage(this.#words, own ? source.language : target.language);
    if (status === "not_understood") this.#words.replaceChildren(...this.#puzzled(own, entry.segment));
    else this.#words.replaceChildren(...(own ? this.#said(entry.segment, final) : this.#meant(entry)));
  }

  /** Who said it learns, too, that it is not translated. */
  #said({ source, status, code }, final) {
    const parts = caption(source, final);
    return status === "failed" ? [...parts, this.#note(failure(code, this.#say))] : parts;
  }

  #meant(entry) {
    const parts = targetParts(entry, this.#say);
    for (const part of parts) if (part.matches(".note")) inLanguage(part, wordsOf(this.#language));
    return parts;
  }

  #say = (path) => textIn(wordsOf(this.#language), path);

  #note(words) {
    return inLanguage(note(words), wordsOf(this.#language));
  }

  /** Only who said it is asked to say it otherwise. */
  #puzzled(own, segment) {
    return own ? [this.#note(puzzle(segment, wordsOf(this.#language)))] : [];
  }
}

/** What is said of words that were not understood, with the nearest phrase. */
function puzzle({ hints = [] }, lang) {
  const say = (path) => textIn(lang, path);
  const [near] = hints;
  return near ? `${say("notUnderstood")} ${say("didYouMean")} ${near.source}` : say("notUnderstood");
}

customElements.define("side-log", SideLog);

/** One half of the screen. */
class Half {
  element = document.createElement("section");
  select = document.createElement("select");
  log = /** @type {SideLog} */ (document.createElement("side-log"));
  button = document.createElement("button");
  #label = document.createElement("span");
  #invitation = document.createElement("p");

  constructor() {
    this.element.className = "half";
    this.button.type = "button";
    this.button.className = "turn";
    this.#invitation.className = "half-invitation";
    const icon = document.querySelector("#toggle .when-idle").cloneNode(true);
    this.button.append(icon, this.#label);
    this.element.append(this.select, this.log, this.#invitation, this.button);
  }

  /** @param {{talking: boolean, theirs: boolean, connecting: boolean}} state */
  render({ talking, theirs, connecting }) {
    const language = this.select.value;
    this.log.language = language;
    this.element.classList.toggle("talking", talking);
    this.select.setAttribute("aria-label", text("sideLanguage"));
    this.button.setAttribute("aria-pressed", String(talking));
    const label = !talking ? "turnTalk" : connecting ? "turnConnecting" : "turnTalking";
    this.#label.textContent = textIn(language, label);
    this.#invitation.textContent = textIn(language, theirs ? "turnTheirs" : "turnInvite");
    this.#invitation.hidden = !this.log.empty;
    for (const element of [this.#label, this.#invitation]) inLanguage(element, wordsOf(language));
  }
}

/** The language in which this half is addressed. */
function wordsOf(language) {
  return interfaceLanguages.includes(language) ? language : interfaceLanguage();
}

export class TwoWay extends HTMLElement {
  #turns = new Turns();
  #halves = [new Half(), new Half()];
  #around = document.createElement("button");
  /** @type {{source: string, target: string}[]} */ #pairs = [];
  #connecting = false;

  connectedCallback() {
    const [near, far] = this.#halves;
    far.element.classList.add("far");
    this.#around.type = "button";
    this.#around.className = "quiet icon-only around";
    this.#around.innerHTML = '<svg><use href="#icon-around"/></svg>';
    this.#around.addEventListener("click", () => this.#turnAround());
    this.append(near.element, this.#around, far.element);
    this.toggleAttribute("data-around", recall("around", true));
    for (const side of [0, 1]) this.#listen(side);
    addEventListener("blur", () => this.stopTurn());
  }

  /**
   * @param {{source: string, target: string}[]} pairs  what the server has
   * @param {{source: string, target: string}} pair  to begin with
   */
  offer(pairs, pair) {
    this.#pairs = mutual(pairs);
    this.#choose(pair.source, pair.target);
  }

  /** Who talks now, or talked last. @returns {{source: string, target: string}} */
  get direction() {
    const side = this.#turns.side ?? 0;
    const languages = this.#languages();
    return { source: languages[side], target: languages[1 - side] };
  }

  /** @returns {boolean} whether someone talks */
  get talking() {
    return this.#turns.side !== null;
  }

  /** @param {boolean} connecting  nobody is heard yet */
  set connecting(connecting) {
    this.#connecting = connecting;
    this.render();
  }

  /** As `CaptionLog`'s. */
  show(segment, now) {
    for (const { log } of this.#halves) log.show(segment, now);
    this.render();
  }

  /** As `CaptionLog`'s. */
  showPlayout(key, playout) {
    for (const { log } of this.#halves) log.showPlayout(key, playout);
  }

  /** As `CaptionLog`'s. */
  showSkipped(key, part) {
    for (const { log } of this.#halves) log.showSkipped(key, part);
  }

  settle() {
    for (const { log } of this.#halves) log.settle();
  }

  clear() {
    for (const { log } of this.#halves) log.clear();
    this.render();
  }

  /** Nobody talks any more. */
  stopTurn() {
    this.#apply(this.#turns.stop());
  }

  /** Show the state, and take the interface's language anew. */
  render() {
    const { side } = this.#turns;
    this.#around.setAttribute("aria-label", text("turnAround"));
    this.#around.title = text("turnAround");
    this.#around.setAttribute("aria-pressed", String(this.hasAttribute("data-around")));
    this.#halves.forEach((half, index) => {
      const theirs = side !== null && side !== index;
      half.render({ talking: side === index, theirs, connecting: this.#connecting });
    });
  }

  /** In the interface's language. */
  translateInterface() {
    for (const { log } of this.#halves) log.translateInterface();
    if (this.#pairs.length) this.#choose(...this.#languages());
  }

  #listen(side) {
    const { button, select } = this.#halves[side];
    // When it was pressed counts, not when a busy page gets to it.
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.#apply(this.#turns.press(side, event.timeStamp));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      button.addEventListener(end, ({ timeStamp }) => {
        this.#apply(this.#turns.release(side, timeStamp));
      });
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch
    const isKey = ({ key }) => key === " " || key === "Enter";
    button.addEventListener("keydown", (event) => {
      if (!isKey(event)) return;
      event.preventDefault();
      if (!event.repeat) this.#apply(this.#turns.press(side, event.timeStamp));
    });
    button.addEventListener("keyup", (event) => {
      if (isKey(event)) this.#apply(this.#turns.release(side, event.timeStamp));
    });
    select.addEventListener("change", () => this.#chosen(side));
  }

  /** @param {import("./turns.js").Change} change */
  #apply({ begin, end }) {
    if (end !== undefined) this.dispatchEvent(new Event("turn-end"));
    if (begin !== undefined) this.dispatchEvent(new Event("turn"));
    this.render();
  }

  /** A side chose a language: the other one keeps its own where the two can be translated. */
  #chosen(side) {
    this.stopTurn();
    const [near, far] = this.#languages();
    if (side === 0) this.#choose(near, far);
    else this.#choose(...this.#matching(far, near).reverse());
    const [source, target] = this.#languages();
    remember("sides", { source, target });
  }

  #choose(near, far) {
    const chosen = this.#matching(near, far);
    const codes = [...new Set(this.#pairs.map(({ source }) => source))];
    this.#halves.forEach(({ select }, index) => {
      fillSelect(select, codes, chosen[index], ownName); // each finds their own, whatever the interface's is
      for (const option of select.options) option.lang = option.value;
    });
    this.render();
  }

  /** `first`, and a language that goes with it: `second` if it does. */
  #matching(first, second) {
    const known = this.#pairs.some(({ source }) => source === first) ? first : this.#pairs[0].source;
    const others = this.#pairs.filter(({ source }) => source === known).map(({ target }) => target);
    return [known, others.includes(second) ? second : others[0]];
  }

  #languages() {
    return this.#halves.map(({ select }) => select.value);
  }

  #turnAround() {
    const around = this.toggleAttribute("data-around");
    remember("around", around);
    this.render();
  }
}

customElements.define("two-way", TwoWay);
