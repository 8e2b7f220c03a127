/**
 * Subtitles that a person can read: at most two lines of 42 characters, at most 7 s long. Pure; the
 * server does the same (`rtc_server/session/cues.py`), and a test holds the two against each other.
 *
 * @typedef {object} Cue
 * @property {number} startMs
 * @property {number} endMs
 * @property {string[]} lines
 */
const LINE_CHARS = 42;
const MOST_MS = 7000;

/**
 * Cut what was said from `startMs` to `endMs` into cues, whose times are in proportion to their text.
 *
 * @param {string[]} texts  one that has two lines, or two (what was said and its translation) that
 *     have one each
 * @param {number} startMs
 * @param {number} endMs
 * @returns {Cue[]}
 */
export function cut(texts, startMs, endMs) {
  const words = texts.map(wordsOf);
  const most = texts.length === 1 ? 2 : 1;
  const parts = cutInto(words, most);
  const sizes = parts.map((lines) => lines.reduce((sum, line) => sum + size(line), 0));
  const whole = sizes.reduce((sum, each) => sum + each, 0);
  let before = 0;
  return parts.map((lines, index) => {
    const at = (chars) => startMs + Math.floor(((endMs - startMs) * chars) / whole);
    const [from, to] = [at(before), at((before += sizes[index]))];
    return { startMs: from, endMs: Math.min(to, from + MOST_MS), lines };
  });
}

/** The lines of each cue: as few cues as will do, each with as much of every text. */
function cutInto(words, most) {
  for (let count = 1; ; count++) {
    const pieces = words.map((each) => divide(each, count).map((piece) => wrap(piece, most)));
    if (pieces.flat().some((lines) => lines === null)) continue;
    const cues = Array.from({ length: count }, (_, index) => pieces.flatMap((each) => each[index]));
    return cues.filter((lines) => lines.length > 0);
  }
}

/** Words, none longer than a line. "-->" would end a cue's times in the middle of its text. */
function wordsOf(text) {
  const words = text.replaceAll("-->", "→").split(/\s+/).filter(Boolean);
  return words.flatMap((word) => {
    const letters = [...word];
    const count = Math.ceil(letters.length / LINE_CHARS);
    return Array.from({ length: count }, (_, index) =>
      letters.slice(index * LINE_CHARS, (index + 1) * LINE_CHARS).join(""),
    );
  });
}

/** Words in `count` groups of about the same length, each word where its middle lies. */
function divide(words, count) {
  const groups = Array.from({ length: count }, () => []);
  const whole = size(words.join(" ")) + 1;
  let before = 0;
  for (const word of words) {
    const middle = 2 * before + size(word) + 1;
    groups[Math.floor((middle * count) / (2 * whole))].push(word);
    before += size(word) + 1;
  }
  return groups;
}

/** Words as at most so many lines, balanced; null when they do not fit. */
function wrap(words, most) {
  for (let count = 1; count <= most; count++) {
    const lines = divide(words, count).map((line) => line.join(" "));
    if (lines.every((line) => size(line) <= LINE_CHARS)) return lines.filter(Boolean);
  }
  return null;
}

/** In characters, as the server counts them. */
function size(text) {
  return [...text].length;
}
