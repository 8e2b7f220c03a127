/** Where sound comes from and goes to. */

/** A problem with a source, by its code. */
export class SourceError extends Error {
  /**
   * @param {string} code  microphone_refused, microphone_missing, microphone_busy, tab_refused,
   *     tab_silent
   */
  constructor(code) {
    super(code);
    this.name = "SourceError";
    this.code = code;
  }
}

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
 * @returns {Promise<MediaStreamTrack>}
 * @throws {SourceError}
 */
export async function openMicrophone(deviceId) {
  const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    if (deviceId) audio.deviceId = { exact: deviceId };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    return stream.getAudioTracks()[0];
  } catch (error) {
    if (deviceId && error.name === "OverconstrainedError") return openMicrophone("");
    throw new SourceError(REFUSALS[error.name] ?? "microphone_busy");
  }
}

/** Whether this browser can capture the sound of a tab or of the system. */
export function canCaptureTab() {
  return "getDisplayMedia" in (navigator.mediaDevices ?? {});
}

/**
 * Ask for the sound of a tab or of the whole system, as it is: no voice processing.
 *
 * @returns {Promise<MediaStreamTrack>}
 * @throws {SourceError} tab_refused, or tab_silent where the browser gives a picture but no sound
 */
export async function openTab() {
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  let stream;
  try {
    // Browsers give sound only beside a picture; the picture is thrown away at once.
    stream = await navigator.mediaDevices.getDisplayMedia({ video: true, audio, systemAudio: "include" });
  } catch {
    throw new SourceError("tab_refused");
  }
  for (const track of stream.getVideoTracks()) track.stop();
  const [track] = stream.getAudioTracks();
  if (!track) throw new SourceError("tab_silent");
  return track;
}

/**
 * Microphones or loudspeakers with the names that the browser tells: all of them once a
 * microphone was allowed, none before.
 *
 * @param {"audioinput"|"audiooutput"} kind
 * @returns {Promise<{id: string, label: string}[]>}
 */
export async function listDevices(kind) {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices
    .filter((device) => device.kind === kind && device.label && device.deviceId !== "default")
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

/** Whether this browser can send sound to a chosen device. */
export function canChooseOutput() {
  return "setSinkId" in HTMLMediaElement.prototype;
}

/**
 * Follow the loudness of a track.
 *
 * @param {MediaStreamTrack} track
 * @param {(rms: number) => void} onLevel  30 times a second, 0 to 1
 * @returns {Promise<() => Promise<void>>} stops it
 */
export async function watchLevel(track, onLevel) {
  const context = new AudioContext();
  try {
    await context.audioWorklet.addModule(new URL("meter.worklet.js", import.meta.url));
    const meter = new AudioWorkletNode(context, "meter", { numberOfOutputs: 0 });
    meter.port.onmessage = ({ data }) => onLevel(data);
    context.createMediaStreamSource(new MediaStream([track])).connect(meter);
  } catch (error) {
    await context.close();
    throw error;
  }
  return () => context.close();
}

/** What this browser lacks for the job: the code of a problem, or null. */
export function missingFeature() {
  if (!window.isSecureContext) return "insecure";
  if (typeof RTCPeerConnection === "undefined") return "webrtc_missing";
  if (typeof AudioWorkletNode === "undefined") return "worklet_missing";
  return null;
}
