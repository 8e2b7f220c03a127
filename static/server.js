/** What the page asks the server besides the call itself. */
import { Api } from "./client/api.js";

/**
 * @typedef {object} Languages
 * @property {string|null} engine_set  name of the set in use; null for engines chosen one by one
 * @property {string[]} modes  what `mode` of a session can be with the engine in use
 * @property {string} ast  title of the translation engine in use
 * @property {string} tts  title of the voice engine in use
 * @property {{source: string, target: string, voices: string[]}[]} pairs
 */

const api = new Api(document.baseURI, accessToken);
/** Whether the server asks for a key. */ let keyed = false;

/** @returns {Promise<Languages>} @throws {ClientError} server_busy while it warms up */
export async function fetchLanguages() {
  return (await api.request("v1/languages")).json();
}

/** @param {string} language  @returns {Promise<import("./phrases.js").Phrase[]>} */
export async function fetchPhrases(language) {
  const path = `v1/phrases?language=${encodeURIComponent(language)}`;
  return (await (await api.request(path, { cache: "default" })).json()).phrases;
}

/**
 * What opens a call: a fresh client secret where the server asks for one, else nothing.
 *
 * @param {string} [refused]  what did not
 * @returns {Promise<import("./client/token.js").Token>}
 */
export async function accessToken(refused) {
  keyed ||= refused !== undefined;
  if (!keyed) return "";
  return (await api.fetch(api.url("page/secret"), { method: "POST" })).json();
}
