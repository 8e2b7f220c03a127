/**
 * A transcript as a file. Pure: segments in, text out.
 *
 * Subtitles count time from the beginning of the first session, as the server's do; each stands as
 * long as it was spoken, at least long enough to be read, and never into the next one.
 *
 * @typedef {import("./transcript.js").Segment} Segment
 * @typedef {"both"|"source"|"target"} Which
 */
const LEAST_MS = 1500;

/** File formats: how to write, and what it is. */
export const formats = {
  txt: { write: toText, type: "text/plain" },
  srt: { write: toSrt, type: "application/x-subrip" },
  vtt: { write: toVtt, type: "text/vtt" },
  json: { write: toJson, type: "application/json" },
};

/** @param {Segment[]} segments  @param {Which} which */
export function toText(segments, which) {
  return segments.map((segment) => lines(segment, which).join("\n")).join("\n\n") + "\n";
}

/** @param {Segment[]} segments  @param {Which} which */
export function toSrt(segments, which) {
  return cues(segments, which, ",")
    .map((cue, index) => `${index + 1}\n${cue}\n`)
    .join("\n");
}

/** @param {Segment[]} segments  @param {Which} which */
export function toVtt(segments, which) {
  const blocks = cues(segments, which, ".").map((cue) => `${cue}\n`);
  return ["WEBVTT\n", ...blocks].join("\n");
}

/** @param {Segment[]} segments */
export function toJson(segments) {
  const rows = segments.map(({ at, source, target }) => ({
    at: at.toISOString(),
    start_ms: source.start_ms,
    end_ms: source.end_ms,
    source: { language: source.language, text: source.text },
    target: { language: target.language, text: target.text },
  }));
  return `${JSON.stringify({ segments: rows }, null, 2)}\n`;
}

function lines({ source, target }, which) {
  if (which === "both") return [source.text, target.text];
  return [which === "source" ? source.text : target.text];
}

/** The timed blocks that SRT and WebVTT share; only the decimal mark differs. */
function cues(segments, which, mark) {
  const starts = startTimes(segments);
  return segments.map((segment, index) => {
    const { start_ms: from, end_ms: to } = segment.source;
    const wanted = starts[index] + Math.max(to - from, LEAST_MS);
    const end = Math.max(Math.min(wanted, starts[index + 1] ?? Infinity), starts[index] + 1);
    const words = lines(segment, which).join("\n");
    const safe = mark === "." ? words.replaceAll("&", "&amp;").replaceAll("<", "&lt;") : words;
    return `${timestamp(starts[index], mark)} --> ${timestamp(end, mark)}\n${safe}`;
  });
}

/** A session's own clock starts at 0: the calendar says how much later than the first it began. */
function startTimes(segments) {
  /** @type {Map<string, number>} when each session began */ const began = new Map();
  return segments.map(({ session, at, source }) => {
    if (!began.has(session)) began.set(session, at - source.start_ms);
    const [first] = began.values();
    return began.get(session) - first + source.start_ms;
  });
}

/** 3723004 as 01:02:03,004. */
function timestamp(ms, mark) {
  const pad = (value, width = 2) => String(Math.floor(value)).padStart(width, "0");
  const clock = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map((part) => pad(part));
  return `${clock.join(":")}${mark}${pad(ms % 1000, 3)}`;
}
