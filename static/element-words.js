/**
 * Words of `<speech-translate>`, by language. Imported, not loaded when they are needed: the element
 * is to be defined before the next module script of its page runs.
 */
import { ClientError } from "./client/errors.js";
import { SILENT } from "./element-input.js";
import { words as de } from "./strings/de/element.js";
import { words as en } from "./strings/en/element.js";
import { words as es } from "./strings/es/element.js";
import { words as fr } from "./strings/fr/element.js";
import { words as it } from "./strings/it/element.js";
import { words as pl } from "./strings/pl/element.js";
import { words as ru } from "./strings/ru/element.js";
import { words as uk } from "./strings/uk/element.js";

export const elementWords = { de, en, es, fr, it, pl, ru, uk };

/** Keys of the words, by the code of a `ClientError`. */
const FAULTS = {
  webrtc_missing: "unsupported",
  worklet_missing: "unsupported",
  server_unreachable: "unreachable",
  server_busy: "busy",
  unauthorized: "unauthorized",
  language_unavailable: "languages",
  server_refused: "declined",
  connect_failed: "unreachable",
  connection_lost: "unreachable",
  server_gone: "unreachable",
  session_ended: "closed",
  session_idle: "closed",
  session_limit: "limit",
};

/** Which of the words say what went wrong. @param {Error} error */
export function wordFor(error) {
  if (error === SILENT) return "silent";
  return error instanceof ClientError ? FAULTS[error.code] : "refused";
}
