/**
 * The panel of phrases to try: grouped by topic, searchable. Beside the captions where there is
 * room, else a sheet that a button opens.
 *
 * @typedef {{text: string, translation: string, language: string, topic: string}} Phrase
 */
import { find } from "./dom.js";
import { recall, remember } from "./prefs.js";
import { text } from "./i18n.js";

/** Worth trying first, of what a phrasebook may have; in either language. */
const GOOD = [
  "Where is the train station?",
  "How much does it cost?",
  "Two coffees, please.",
  "What time is it?",
  "Can you help me?",
];
const WIDE = matchMedia("(min-width: 64.01rem)");

export class PhrasePanel {
  /** @type {Phrase[]} */ #phrases = [];
  #language = "";
  #panel;
  #opener;
  #search;
  #list;
  #closer;
  #say;
  /** Whether it is a sheet in any width. */ #folded = recall("phrasesFolded", false);

  /**
   * @param {HTMLElement} panel
   * @param {HTMLButtonElement} opener
   * @param {(phrase: Phrase) => void} say  has a phrase spoken
   */
  constructor(panel, opener, say) {
    this.#say = say;
    this.#panel = panel;
    this.#opener = opener;
    this.#search = find("input", HTMLInputElement, panel);
    this.#list = find(".topics", HTMLElement, panel);
    this.#search.addEventListener("input", () => this.render());
    this.#closer = find(".close", HTMLButtonElement, panel);
    opener.addEventListener("click", () => this.#open(!panel.hasAttribute("data-open")));
    this.#closer.addEventListener("click", () => this.#open(false));
    panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#open(false);
    });
    WIDE.addEventListener("change", () => this.#settle());
    this.#settle();
    addEventListener("pointerdown", ({ target }) => {
      const there = /** @type {Node} */ (target);
      const outside = !panel.contains(there) && !opener.contains(there);
      if (outside && panel.hasAttribute("data-open")) this.#open(false);
    });
  }

  /** Make room for the captions: from now on it is a sheet that a button opens. */
  fold() {
    if (this.#folded) return;
    this.#folded = true;
    remember("phrasesFolded", true);
    this.#settle();
    if (this.#panel.contains(document.activeElement)) this.#opener.focus();
  }

  /** @param {string} language  of what is to be said  @param {Phrase[]} phrases */
  show(language, phrases) {
    this.#language = language;
    this.#phrases = phrases;
    this.#search.hidden = phrases.length === 0;
    this.render();
  }

  /** A few phrases of different topics, no lone words. @param {number} count @returns {Phrase[]} */
  sample(count) {
    const good = GOOD.flatMap((words) =>
      this.#phrases.filter((phrase) => [phrase.text, phrase.translation].includes(words)).slice(0, 1),
    );
    const topics = this.#byTopic(this.#phrases);
    const sentence = (group) => group.find((phrase) => phrase.text.includes(" ")) ?? group[0];
    return [...new Set([...good, ...[...topics.values()].map(sentence)])].slice(0, count);
  }

  render() {
    const query = this.#search.value.trim().toLocaleLowerCase();
    const has = (words) => words.toLocaleLowerCase().includes(query);
    const found = this.#phrases.filter((p) => has(p.text) || has(p.translation));
    const topics = [...this.#byTopic(found)].map(([topic, phrases], index) =>
      this.#topic(topic, phrases, query !== "" || index === 0),
    );
    this.#panel.querySelector(".panel-note").textContent = text(
      this.#phrases.length ? "phrasesNote" : "anyPhrase",
    );
    this.#list.replaceChildren(...topics);
    if (query && !found.length) this.#list.textContent = text("noPhrase");
  }

  #byTopic(phrases) {
    const topics = new Map();
    for (const phrase of phrases) {
      if (!topics.has(phrase.topic)) topics.set(phrase.topic, []);
      topics.get(phrase.topic).push(phrase);
    }
    return topics;
  }

  #topic(topic, phrases, open) {
    const group = document.createElement("details");
    group.open = open;
    const summary = document.createElement("summary");
    summary.textContent = topic || text("otherTopic");
    const list = document.createElement("ul");
    list.append(...phrases.map((phrase) => phraseItem(phrase, this.#language, (tapped) => {
      if (this.#panel.hasAttribute("data-open")) this.#open(false);
      this.#say(tapped);
    })));
    group.append(summary, list);
    return group;
  }

  #settle() {
    document.body.toggleAttribute("data-sheet", this.#folded || !WIDE.matches);
  }

  #open(open) {
    this.#panel.toggleAttribute("data-open", open);
    this.#opener.setAttribute("aria-expanded", String(open));
    (open ? this.#closer : this.#opener).focus(); // not the search: that raises a phone's keyboard
  }
}

/**
 * A phrase that is spoken when it is tapped.
 *
 * @param {Phrase} phrase
 * @param {string} language
 * @param {(phrase: Phrase) => void} tapped
 */
export function phraseItem(phrase, language, tapped) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "phrase";
  button.addEventListener("click", () => tapped(phrase));
  const say = document.createElement("span");
  say.className = "say";
  say.lang = language;
  say.textContent = phrase.text;
  const means = document.createElement("span");
  means.className = "means";
  means.lang = phrase.language;
  means.textContent = phrase.translation;
  button.append(say, means);
  item.append(button);
  return item;
}
