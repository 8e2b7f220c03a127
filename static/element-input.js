/** The sound that `<speech-translate>` sends. */
import { EarlySpeech } from "./early-speech.js";

export const SILENT = new DOMException("The shared tab gives no sound.", "NotFoundError");

/**
 * Ask for the sound of the microphone, or of a tab.
 *
 * @typedef {object} Input
 * @property {MediaStreamTrack} track
 * @property {MediaStreamTrack} sent  what is to be sent for it until the call is up
 * @property {EarlySpeech|null} early  what a microphone hears until then; a tab is not addressed to us
 * @property {() => void} close
 *
 * @param {string} input  "microphone" or "tab"
 * @returns {Promise<Input>}
 * @throws {DOMException}
 */
export async function openInput(input) {
  const tab = input === "tab";
  const early = tab ? null : new EarlySpeech();
  try {
    const stream = await (tab ? openTab() : navigator.mediaDevices.getUserMedia({ audio: processed(true) }));
    const close = () => {
      early?.close();
      stream.getTracks().forEach((track) => track.stop());
    };
    const [track] = stream.getAudioTracks();
    if (!track) {
      close();
      throw SILENT;
    }
    await early?.prepared();
    return { track, sent: early?.listen(track) ?? track, early, close };
  } catch (error) {
    early?.close();
    throw error;
  }
}

function openTab() {
  return navigator.mediaDevices.getDisplayMedia({ video: true, audio: processed(false) });
}

function processed(wanted) {
  return { echoCancellation: wanted, noiseSuppression: wanted, autoGainControl: wanted };
}
