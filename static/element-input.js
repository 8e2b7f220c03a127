/** The sound that `<speech-translate>` sends. */
export const SILENT = new DOMException("The shared tab gives no sound.", "NotFoundError");

/**
 * Ask for the sound of the microphone, or of a tab.
 *
 * @param {string} input  "microphone" or "tab"
 * @returns {Promise<{track: MediaStreamTrack, close: () => void}>}
 * @throws {DOMException}
 */
export async function openInput(input) {
  const tab = input === "tab";
  const audio = { echoCancellation: !tab, noiseSuppression: !tab, autoGainControl: !tab };
  const stream = tab
    ? await navigator.mediaDevices.getDisplayMedia({ video: true, audio })
    : await navigator.mediaDevices.getUserMedia({ audio });
  const close = () => stream.getTracks().forEach((track) => track.stop());
  const [track] = stream.getAudioTracks();
  if (track) return { track, close };
  close();
  throw SILENT;
}
