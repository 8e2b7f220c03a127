/**
 * A transcript as a file. Pure: segments in, text out.
 *
 * Subtitles count time from the beginning of the first session, as the server's do; what was said
 * stands as long as it was spoken, at least long enough to be read, and never into the next one.
 * Where two people talk, plain text says who (by language) and when (by the subtitles' clock).
 *
 * @typedef {import("./transcript.js").Segment} Segment
 * @typedef {"both"|"source"|"target"} Which
 */
import { cut } from "./cues.js";

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
  const starts = startTimes(segments);
  const two = new Set(segments.map(({ source }) => source.language)).size > 1;
  const blocks = segments.map((segment, index) => {
    const who = `[${clock(starts[index])}] ${segment.source.language.toUpperCase()}`;
    return [...(two ? [who] : []), ...texts(segment, which)].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
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

function texts({ source, target }, which) {
  if (which === "both") return [source.text, target.text];
  return [which === "source" ? source.text : target.text];
}

/** The timed blocks that SRT and WebVTT share; only the decimal mark differs. */
function cues(segments, which, mark) {
  const starts = startTimes(segments);
  return segments.flatMap((segment, index) => {
    const wanted = starts[index] + lengthMs(segment);
    const end = Math.max(Math.min(wanted, starts[index + 1] ?? Infinity), starts[index] + 1);
    return cut(texts(segment, which), starts[index], end).map(({ startMs, endMs, lines }) => {
      const words = lines.join("\n");
      const safe = mark === "." ? words.replaceAll("&", "&amp;").replaceAll("<", "&lt;") : words;
      return `${timestamp(startMs, mark)} --> ${timestamp(endMs, mark)}\n${safe}`;
    });
  });
}

/** How long a segment is to be read, in ms. */
function lengthMs({ source }) {
  return Math.max(source.end_ms - source.start_ms, LEAST_MS);
}

/**
 * A session's own clock starts at 0: the calendar says how much later than the first it began. By
 * the calendar a caption comes some time after it was said; no session begins into the one before.
 */
function startTimes(segments) {
  /** @type {Map<string, number>} when each session began */ const began = new Map();
  let first = 0;
  let over = 0;
  return segments.map((segment) => {
    const { session, at, source } = segment;
    if (!began.size) first = at - source.start_ms;
    if (!began.has(session)) began.set(session, Math.max(at - first, over) - source.start_ms);
    const start = began.get(session) + source.start_ms;
    over = start + lengthMs(segment);
    return start;
  });
}

/** 3723004 as 01:02:03,004. */
function timestamp(ms, mark) {
  return `${clock(ms)}${mark}${String(ms % 1000).padStart(3, "0")}`;
}

/** 3723004 as 01:02:03. */
function clock(ms) {
  const parts = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60];
  return parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
}
