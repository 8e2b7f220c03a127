/** Microphone and loudness. */

/**
 * Ask for the microphone.
 *
 * @returns {Promise<MediaStreamTrack>}
 * @throws {DOMException} as getUserMedia does
 */
export async function openMicrophone() {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  });
  return stream.getAudioTracks()[0];
}

/**
 * Follow the loudness of a track.
 *
 * @param {MediaStreamTrack} track
 * @param {(rms: number) => void} onLevel  30 times a second, 0 to 1
 * @returns {Promise<() => void>} stops it
 */
export async function watchLevel(track, onLevel) {
  const context = new AudioContext({ latencyHint: "interactive" });
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
  if (!navigator.mediaDevices?.getUserMedia) return "microphone_missing";
  return null;
}
