/** Cuts one phrase out of what was recorded around it. Pure. */

const FRAME_S = 0.02;
const AUDIBLE = 0.003;
const SEAM_S = 0.5; // a phrase arrives that long after it was announced, at the latest

/**
 * @param {Float32Array<ArrayBuffer>} samples  mono
 * @param {number} sampleRate
 * @param {boolean} joined  whether it begins with the end of the phrase before: that is cut off at
 *     the quietest place
 * @returns {Float32Array<ArrayBuffer>} without silence at either end; empty when there is nothing else
 */
export function cutPhrase(samples, sampleRate, joined) {
  const size = Math.round(FRAME_S * sampleRate);
  const levels = [];
  for (let at = 0; at + size <= samples.length; at += size) {
    levels.push(rms(samples.subarray(at, at + size)));
  }
  const seam = joined ? quietest(levels.slice(0, SEAM_S / FRAME_S)) : 0;
  const first = levels.findIndex((level, index) => index >= seam && level > AUDIBLE);
  const last = levels.findLastIndex((level) => level > AUDIBLE);
  if (first < 0) return new Float32Array();
  return samples.subarray(Math.max(first - 1, seam) * size, (last + 2) * size);
}

function quietest(levels) {
  return levels.indexOf(Math.min(...levels));
}

function rms(samples) {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}
