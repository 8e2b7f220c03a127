/**
 * The interface's language. Only the words of the language in use are loaded: the one chosen here
 * before, else the browser's, else English.
 */
import { recall, remember } from "./prefs.js";

/** The languages, and how each writes times. */
const WRITTEN_AS = { en: "en-GB", ru: "ru", uk: "uk", de: "de", es: "es", fr: "fr", it: "it", pl: "pl" };

/** Languages that the interface has, ISO 639-1. */
export const interfaceLanguages = Object.keys(WRITTEN_AS);

/** Names of the sets of words that the page uses, as in their files; "" for those of all pages. */
const sets = [""];
/** @type {Record<string, {sets: number, words: object}>} by language, with how many sets are in it */
const loaded = {};
let language = recall("interface", "") || navigator.language.slice(0, 2);
if (!(language in WRITTEN_AS)) language = "en";
await loadWords(language);

/** A language's name as those who speak it write it. @param {string} code */
export function ownName(code) {
  const name = new Intl.DisplayNames(code, { type: "language" }).of(code);
  return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
}

/** Load the words of a language, for `textIn`. @param {string} code  of `interfaceLanguages` */
export async function loadWords(code) {
  const of = (loaded[code] ??= { sets: 0, words: {} });
  while (of.sets < sets.length) {
    const set = sets[of.sets];
    of.sets += 1;
    Object.assign(of.words, (await import(`./strings.${set}${code}.js`)).words);
  }
}

/** Have a further set of words, for a page of its own. @param {string} set  as "room" */
export async function useWords(set) {
  sets.push(`${set}.`);
  await loadWords(language);
}

/** The language of the interface. @returns {string} ISO 639-1 */
export function interfaceLanguage() {
  return language;
}

/** Choose the interface's language, and remember it. @param {string} code  of `interfaceLanguages` */
export async function speakInterface(code) {
  await loadWords(code);
  language = code;
  remember("interface", code);
}

/**
 * A text of the interface.
 *
 * @param {string} path  as in "state.idle"
 * @param {Record<string, any>} [values]  what stands for {name}
 */
export function text(path, values = {}) {
  const found = lookUp(language, path);
  if (typeof found !== "string") return found; // a list of texts, or nothing
  return found.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** As `text`, in a language of its own where its words are loaded. */
export function textIn(code, path) {
  return lookUp(code in loaded ? code : language, path);
}

function lookUp(code, path) {
  return path.split(".").reduce((node, key) => node?.[key], loaded[code].words);
}

/** A time of day as the interface's language writes it. @param {Date} at */
export function clock(at) {
  return at.toLocaleTimeString(WRITTEN_AS[language]);
}

/** A language's name in the interface's language. @param {string} code  ISO 639-1 */
export function languageName(code) {
  const name = new Intl.DisplayNames(language, { type: "language" }).of(code);
  return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
}
