/** What the page asks the server besides the call itself. */
import { ClientError } from "./client/errors.js";

/**
 * @typedef {object} Languages
 * @property {string|null} engine_set  name of the set in use; null for engines chosen one by one
 * @property {string[]} modes  what `mode` of a session can be with the engine in use
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

/** @type {import("./client/api.js").ClientSecret|null} null for good on a server without keys */
let secret = null;

/** What opens a call: a fresh client secret where the server asks for one, else nothing. */
export async function accessToken() {
  if (secret) await renewSecret();
  return secret ?? "";
}

async function renewSecret() {
  const response = await request("page/secret", { method: "POST" });
  if (!response.ok) throw await ClientError.fromResponse(response);
  secret = await response.json();
}

async function fetchJson(path) {
  let response = await request(path);
  if (response.status === 401) {
    await renewSecret();
    response = await request(path);
  }
  if (response.ok) return response.json();
  throw await ClientError.fromResponse(response);
}

async function request(path, init = {}) {
  const headers = secret ? { Authorization: `Bearer ${secret.value}` } : {};
  try {
    return await fetch(new URL(path, document.baseURI), { headers, ...init });
  } catch {
    throw new ClientError("server_unreachable");
  }
}
