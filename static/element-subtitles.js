/** Subtitles of what `<speech-translate>` showed, as text and as a file; loaded when somebody wants them. */
import { formats } from "./export.js";
import { saveFile } from "./save-file.js";

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
  saveFile(`captions.${known}`, new Blob([subtitles(segments, known, "both")], { type: formats[known].type }));
}
