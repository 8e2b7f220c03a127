/**
 * Words of the interface. A language has a table for each page, `strings/LANGUAGE/PAGE.js`; only
 * those in use are loaded. The names of languages are the browser's (`Intl.DisplayNames`). No DOM,
 * no storage.
 */

/** The languages, and how each writes times. */
const WRITTEN_AS = { en: "en-GB", ru: "ru", uk: "uk", de: "de", es: "es", fr: "fr", it: "it", pl: "pl" };

/** Languages that the interface has, ISO 639-1. */
export const interfaceLanguages = Object.keys(WRITTEN_AS);

/** Tables in use. @type {Set<string>} */
const pages = new Set();
/** By language: which tables are in `words`. @type {Record<string, {pages: Set<string>, words: Record<string, any>}>} */
const loaded = {};
let language = "en";

/** One that the interface has: the wanted one, else English. @param {string} tag  as "de-AT" */
export function nearest(tag) {
  const code = tag.slice(0, 2);
  return code in WRITTEN_AS ? code : "en";
}

/** Load one table of a language. @param {string} code  @param {string} page */
async function loadTable(code, page) {
  if (loaded[code]?.pages.has(page)) return;
  const { words } = await import(`./strings/${code}/${page}.js`).catch((error) => {
    throw Object.assign(error, { absent: true }); // for absent.js: nothing is broken
  });
  const of = (loaded[code] ??= { pages: new Set(), words: {} });
  Object.assign(of.words, words, { problem: { ...of.words.problem, ...words.problem } }); // two tables have some
  of.pages.add(page);
}

/** Load a language as far as the interface uses it. @param {string} code  of `interfaceLanguages` */
export async function loadWords(code) {
  await Promise.all([...pages].map((page) => loadTable(code, page)));
}

/** Have the words of a page. @param {string} page  as "room" */
export async function useWords(page) {
  pages.add(page);
  await loadTable(language, page);
}

/** The language of the interface. @returns {string} ISO 639-1 */
export function interfaceLanguage() {
  return language;
}

/** Have the interface in another language. @param {string} code  of `interfaceLanguages` */
export async function speakInterface(code) {
  await loadWords(code);
  language = code;
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

/** How long to wait, rounded up: "15 seconds", "4 minutes". @param {number} ms */
export function duration(ms) {
  const seconds = Math.ceil(ms / 5000) * 5;
  const minutes = Math.ceil(seconds / 60);
  const [unit, value] = seconds < 90 ? ["second", seconds] : minutes < 90 ? ["minute", minutes] : ["hour", Math.ceil(minutes / 60)];
  const inFives = value > 10 ? Math.ceil(value / 5) * 5 : value; // 21 has an accusative of its own
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(inFives);
}

/** A language's name in the interface's language. @param {string} code  ISO 639-1 */
export function languageName(code) {
  return nameIn(language, code);
}

/** A language's name as those who speak it write it. @param {string} code */
export function ownName(code) {
  return nameIn(code, code);
}

function nameIn(speaking, code) {
  const name = new Intl.DisplayNames(speaking, { type: "language" }).of(code);
  return name.charAt(0).toLocaleUpperCase(speaking) + name.slice(1);
}
