/** Subtitles of what `<speech-translate>` showed, as text and as a file; loaded when somebody wants them. */
import { formats } from "./export.js";

/**
 * @param {import("./transcript.js").Segment[]} segments
 * @param {string} format  a key of `formats`; another one means "vtt"
 * @param {import("./export.js").Which} which
 */
export function subtitles(segments, format, which) {
  return (formats[format] ?? formats.vtt).write(segments, which);
}

/** Have the browser save them. @param {import("./transcript.js").Segment[]} segments  @param {string} format */
export function save(segments, format) {
  const known = format in formats ? format : "vtt";
  const file = new Blob([subtitles(segments, known, "both")], { type: formats[known].type });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `captions.${known}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
