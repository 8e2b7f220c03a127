/**
 * The conversation as this device keeps it: a reload, or a tab that the browser discarded, loses
 * nothing that was understood. It stays until somebody clears it; the server has no part in it.
 */
import { recall, remember } from "./prefs.js";

const KEY = "conversation";
/** The newest are kept; with both languages this stays well below what a browser stores. */
const MOST_SEGMENTS = 500;
const MOST_CHARS = 300_000;

/** @returns {import("./transcript.js").Segment[]} in the order of speaking */
export function keptSegments() {
  return recall(KEY, []).map((segment) => ({
    ...segment,
    at: new Date(segment.at),
    rev: 0,
    final: true,
    status: "final",
  }));
}

/**
 * Keep a segment beside what is kept already: another tab may be adding to it, too.
 *
 * @param {import("./transcript.js").Segment} segment  final, and understood
 */
export function keepSegment({ key, session, at, source, target }) {
  const kept = [...recall(KEY, []), { key, session, at, source, target }].slice(-MOST_SEGMENTS);
  let chars = 0;
  const fits = (each) => (chars += each.source.text.length + each.target.text.length) <= MOST_CHARS;
  const first = kept.findLastIndex((each) => !fits(each));
  remember(KEY, kept.slice(first + 1));
}

/** Forget all of it. */
export function forgetSegments() {
  remember(KEY, []);
}
