/** What the page asks the server besides the call itself. */
import { ClientError } from "./client.js";

/**
 * @typedef {object} Languages
 * @property {string} ast  title of the translation engine in use
 * @property {string} tts  title of the voice engine in use
 * @property {{source: string, target: string, voices: string[]}[]} pairs
 */

/** @returns {Promise<Languages>} @throws {ClientError} server_busy while it warms up */
export function fetchLanguages() {
  return fetchJson("v1/languages");
}

/** @param {string} language  @returns {Promise<import("./phrases.js").Phrase[]>} */
export async function fetchPhrases(language) {
  return (await fetchJson(`v1/phrases?language=${encodeURIComponent(language)}`)).phrases;
}

async function fetchJson(path) {
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI));
  } catch {
    throw new ClientError("server_unreachable");
  }
  if (response.ok) return response.json();
  throw await ClientError.fromResponse(response);
}
