/**
 * From the controls to gains. Pure.
 *
 * The mix goes from the original alone (0) over both in full (0.5) to the translation alone (1).
 *
 * @param {{mix: number, originalMuted: boolean, translationMuted: boolean}} controls
 * @returns {{original: number, translation: number}}
 */
export function mixGains({ mix, originalMuted, translationMuted }) {
  return {
    original: originalMuted ? 0 : Math.min(1, 2 * (1 - mix)),
    translation: translationMuted ? 0 : Math.min(1, 2 * mix),
  };
}
