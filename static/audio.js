/**
 * Opens what sound comes from.
 *
 * @typedef {object} Source
 * @property {"microphone"|"tab"|"file"} kind
 * @property {MediaStreamTrack} track  what is sent; it ends by itself when the source goes away
 * @property {boolean} playable  whether the page may play it under the translation: nobody else does
 * @property {() => void} begin  called once, when the interpreter listens
 * @property {() => void} close
 */
import { SourceError } from "./devices.js";

/** Failures of getUserMedia by name (Media Capture §10.6). */
const REFUSALS = {
  NotAllowedError: "microphone_refused",
  SecurityError: "microphone_refused",
  NotFoundError: "microphone_missing",
};

/**
 * Ask for a microphone; if the wanted one is not there any more, for the browser's default.
 *
 * @param {string} deviceId  "" for the default
 * @returns {Promise<Source>}
 * @throws {SourceError}
 */
export async function openMicrophone(deviceId) {
  const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    if (deviceId) audio.deviceId = { exact: deviceId };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    return source("microphone", stream.getAudioTracks()[0], false);
  } catch (error) {
    if (deviceId && error.name === "OverconstrainedError") return openMicrophone("");
    throw new SourceError(REFUSALS[error.name] ?? "microphone_busy");
  }
}

/**
 * Ask for the sound of a tab or of the whole system, as it is: no voice processing. A tab is kept
 * from playing by itself where the browser can do that; the page plays it then, under the
 * translation. The sound of the system holds what this page plays, and must not be played again.
 *
 * @returns {Promise<Source>}
 * @throws {SourceError} tab_refused, or tab_silent where the browser gives a picture but no sound
 */
export async function openTab() {
  const audio = {
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
    suppressLocalAudioPlayback: true,
    restrictOwnAudio: true,
  };
  let stream;
  try {
    // Browsers give sound only beside a picture; the picture is thrown away at once.
    stream = await navigator.mediaDevices.getDisplayMedia({
      video: true,
      audio,
      systemAudio: "include",
      selfBrowserSurface: "exclude",
    });
  } catch {
    throw new SourceError("tab_refused");
  }
  const [picture] = stream.getVideoTracks();
  const isTab = picture?.getSettings().displaySurface === "browser";
  picture?.stop();
  const [track] = stream.getAudioTracks();
  if (!track) throw new SourceError("tab_silent");
  const playable = isTab && track.getSettings().suppressLocalAudioPlayback === true;
  return source("tab", track, playable);
}

/** @returns {Source} */
function source(kind, track, playable) {
  return { kind, track, playable, begin: () => {}, close: () => track.stop() };
}
