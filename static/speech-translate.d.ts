/** Types of `<speech-translate>`; see speech-translate.js. */
import type { ClientError, Segment, State, Token } from "./client.js";

export class SpeechTranslate extends HTMLElement {
  url: string;
  source: string;
  target: string;
  input: string;
  transport: string;
  subtitles: string;
  token: Token | (() => Token | Promise<Token>);
  readonly state: State | "opening";
  readonly stream: MediaStream | null;
  start(): Promise<void>;
  stop(): Promise<void>;
  transcript(): Segment[];
  toSubtitles(format?: "vtt" | "srt" | "txt" | "json", which?: "both" | "source" | "target"): Promise<string>;
}

declare global {
  interface HTMLElementTagNameMap {
    "speech-translate": SpeechTranslate;
  }
  interface HTMLElementEventMap {
    statechange: CustomEvent<{ state: State | "opening"; error: ClientError | Error | null }>;
    waiting: CustomEvent<{ position: number }>;
    clipping: CustomEvent<{ clipping: boolean }>;
    segment: CustomEvent<Segment>;
  }
}
