/** The two language lists and the swap button. Only pairs that the server has can be chosen. */
import { languageName } from "./i18n.js";

const PREFERRED = { source: "ru", target: "en" };
const RIGHT_TO_LEFT = ["ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"];

/** How a language is written. @param {string} code  ISO 639-1 @returns {"ltr"|"rtl"} */
export function direction(code) {
  return RIGHT_TO_LEFT.includes(code) ? "rtl" : "ltr";
}

/**
 * The pairs that work both ways.
 *
 * @param {{source: string, target: string}[]} pairs
 */
export function mutual(pairs) {
  return pairs.filter(({ source, target }) =>
    pairs.some((back) => back.source === target && back.target === source),
  );
}

/** Fires "change" when a person chose another pair. */
export class LanguagePair extends EventTarget {
  /** @type {{source: string, target: string}[]} */ #pairs = [];
  #source;
  #target;
  #swap;

  /**
   * @param {HTMLSelectElement} source
   * @param {HTMLSelectElement} target
   * @param {HTMLButtonElement} swap
   */
  constructor(source, target, swap) {
    super();
    this.#source = source;
    this.#target = target;
    this.#swap = swap;
    for (const select of [source, target]) {
      select.addEventListener("change", () => this.#choose(this.value));
    }
    swap.addEventListener("click", () => {
      this.#choose({ source: this.value.target, target: this.value.source });
    });
  }

  /** @returns {{source: string, target: string}} */
  get value() {
    return { source: this.#source.value, target: this.#target.value };
  }

  /** @param {boolean} disabled */
  set disabled(disabled) {
    for (const control of [this.#source, this.#target, this.#swap]) control.disabled = disabled;
  }

  /**
   * @param {{source: string, target: string}[]} pairs  what the server has
   * @param {{source?: string, target?: string}} wanted
   */
  offer(pairs, wanted) {
    this.#pairs = pairs;
    this.#fill({ ...PREFERRED, ...wanted });
  }

  /** Take the interface's language anew. */
  render() {
    if (this.#pairs.length) this.#fill(this.value);
  }

  #choose(wanted) {
    this.#fill(wanted);
    this.dispatchEvent(new Event("change"));
  }

  #fill(wanted) {
    const sources = [...new Set(this.#pairs.map((pair) => pair.source))];
    const source = sources.includes(wanted.source) ? wanted.source : sources[0];
    const targets = this.#pairs.filter((pair) => pair.source === source).map((pair) => pair.target);
    const target = targets.includes(wanted.target) ? wanted.target : targets[0];
    fillSelect(this.#source, sources, source);
    fillSelect(this.#target, targets, target);
    const back = (pair) => pair.source === target && pair.target === source;
    this.#swap.hidden = !this.#pairs.some(back);
  }
}

/**
 * List languages by their names, in the interface's language by default.
 *
 * @param {HTMLSelectElement} select
 * @param {string[]} codes
 * @param {string} chosen
 * @param {(code: string) => string} [named]
 */
export function fillSelect(select, codes, chosen, named = languageName) {
  const options = codes.map((code) => new Option(named(code), code));
  options.sort((a, b) => a.text.localeCompare(b.text));
  select.replaceChildren(...options);
  select.value = chosen;
}
