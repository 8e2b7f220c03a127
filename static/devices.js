/** What this browser and this device have for sound, without opening any of it. */

/** A problem with a source, by its code. */
export class SourceError extends Error {
  /**
   * @param {string} code  microphone_refused, microphone_missing, microphone_busy, tab_refused,
   *     tab_silent, file_missing, file_unreadable
   */
  constructor(code) {
    super(code);
    this.name = "SourceError";
    this.code = code;
  }
}

/** Whether this browser can capture the sound of a tab or of the system. */
export function canCaptureTab() {
  return "getDisplayMedia" in (navigator.mediaDevices ?? {});
}

/**
 * Microphones or loudspeakers with the names that the browser tells: all of them once a
 * microphone was allowed, none before.
 *
 * @param {"audioinput"|"audiooutput"} kind
 * @returns {Promise<{id: string, label: string}[]>}  the browser's default has the id "default"
 */
export async function listDevices(kind) {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices
    .filter((device) => device.kind === kind && device.label)
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

/** Whether this browser can send sound to a chosen device. */
export function canChooseOutput() {
  return "setSinkId" in HTMLMediaElement.prototype;
}

/** What this browser lacks for the job, with WebRTC or a WebSocket: the code of a problem, or null. */
export function missingFeature() {
  if (!window.isSecureContext) return "insecure";
  if (typeof AudioWorkletNode === "undefined") return "worklet_missing";
  return null;
}
