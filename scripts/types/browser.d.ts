/** Names that browsers have and TypeScript's own list lacks, and the page's own elements. */
import type { CaptionLog } from "../../static/captions.js";
import type { ListenLog } from "../../static/listen-log.js";
import type { LevelMeter } from "../../static/meter.js";
import type { SideLog, TwoWay } from "../../static/two-way.js";

declare global {
  interface HTMLElementTagNameMap {
    "caption-log": CaptionLog;
    "level-meter": LevelMeter;
    "listen-log": ListenLog;
    "side-log": SideLog;
    "two-way": TwoWay;
  }

  // Document Picture-in-Picture (WICG)
  var documentPictureInPicture: {
    requestWindow(options?: { width?: number; height?: number }): Promise<Window>;
  };

  // Screen Capture: what browsers may be asked for beyond TypeScript's list
  interface DisplayMediaStreamOptions {
    systemAudio?: "include" | "exclude";
    selfBrowserSurface?: "include" | "exclude";
  }
  interface MediaTrackConstraintSet {
    suppressLocalAudioPlayback?: ConstrainBoolean;
    restrictOwnAudio?: ConstrainBoolean;
  }
  interface MediaTrackSettings {
    suppressLocalAudioPlayback?: boolean;
  }

  // WebRTC statistics (webrtc-stats §8.10)
  interface RTCIceCandidateStats extends RTCStats {
    candidateType: RTCIceCandidateType;
    protocol?: "udp" | "tcp";
  }

  // AudioWorkletGlobalScope: worklets share this project with the page's own modules
  var sampleRate: number;
  var currentFrame: number;
  abstract class AudioWorkletProcessor {
    constructor(options?: { processorOptions?: any });
    readonly port: MessagePort;
    abstract process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
  }
  function registerProcessor(
    name: string,
    processor: new (options?: { processorOptions?: any }) => AudioWorkletProcessor,
  ): void;
}
