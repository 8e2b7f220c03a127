/** Types of the client library; see client.js. */

/** The answer of `client_secrets`, or just its `value`. */
export type Token =
  | string
  | {
      value: string;
      expires_at?: number;
      x?: { ice_servers?: RTCIceServer[]; ice_transport_policy?: RTCIceTransportPolicy };
    };

/**
 * One for good, or a function. `attachTranslation` and a `TranslationClient` ask it, with nothing, for
 * each session that they open; in line, once the answer has expired. A `RoomClient` asks once, with nothing, and keeps the answer; again with
 * that when the server refused it.
 */
export type TokenSource = Token | ((refused?: string) => Token | Promise<Token>);

export type State = "idle" | "connecting" | "live" | "reconnecting" | "finishing" | "closed";

export interface ClientOptions {
  /** Address of the server's page; by default this page's own server. */
  url?: string | URL;
  /** Needed where the server has keys. */
  token?: TokenSource;
  /** `auto`: a WebSocket where WebRTC is missing or has not connected within 8 s. */
  transport?: "auto" | "webrtc" | "websocket";
  /** Instead of those that the server names. */
  iceServers?: RTCIceServer[];
  iceTransportPolicy?: RTCIceTransportPolicy;
  /** Time for which to try to get a lost connection back; a minute by default. */
  patienceMs?: number;
  /** Wait in line where the server is full; otherwise that is a `server_busy`. */
  queue?: boolean;
}

export interface SessionSettings {
  /** Language that is spoken, ISO 639-1. */
  source: string;
  /** Language to hear. */
  target: string;
  /** Side that decides when a phrase ends: the server, or `begin` and `commit`. */
  vad?: { mode: "auto" | "off"; hangover_ms?: number };
  voice?: string;
  engine?: string;
  /** Mode of translation: while it goes on, where the engine can, or phrase by phrase. */
  mode?: "fast" | "balanced" | "accurate" | "consecutive";
}

export interface AttachOptions extends ClientOptions, SessionSettings {
  /** Gives up while it connects. */
  signal?: AbortSignal;
  /** Called with each position in the server's line, 1 for the next; with `queue`. */
  onWaiting?: (position: number) => void;
}

export interface Segment {
  /** Unique over reconnections. A revision replaces what came before under the same key. */
  readonly key: string;
  readonly segment_id: string;
  readonly rev: number;
  readonly final: boolean;
  readonly status: "partial" | "final" | "not_understood" | "failed";
  readonly source: {
    language: string;
    text: string;
    stable_chars: number;
    start_ms: number;
    end_ms: number;
  };
  readonly target: { language: string; text: string; stable_chars: number };
  /** With `not_understood`: what is near. */
  readonly hints?: { source: string; target: string }[];
  /** With `failed`. */
  readonly message?: string;
}

export interface Playout {
  readonly key: string;
  readonly segment_id: string;
  readonly state: "queued" | "started" | "finished" | "dropped" | "skipped";
  readonly queue_ms: number;
  readonly tempo: number;
  /** With `skipped`: the part of `target.text` that was left out to catch up, from and to. */
  readonly skipped?: [number, number];
}

/** An EventTarget whose listeners know what comes. */
export interface TypedTarget<Events> {
  addEventListener<Type extends keyof Events>(
    type: Type,
    listener: (event: CustomEvent<Events[Type]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof Events>(
    type: Type,
    listener: (event: CustomEvent<Events[Type]>) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  dispatchEvent(event: Event): boolean;
}

export interface CaptionEvents {
  segment: Segment;
  playout: Playout;
}

export interface TranslationEvents {
  state: { state: State; error: ClientError | null };
  vad: { state: "speech" | "silence"; audio_ms: number };
  metrics: { [name: string]: number | null };
  warning: { code: string; message: string };
  expiring: { in_ms: number; reason: "limit" | "idle" | "restart" };
  /** The server refused something; the session goes on. */
  refused: { code: string | null; message: string };
  /**
   * After a reconnection `stream` holds another track. Elements that play the stream follow by
   * themselves; a recorder, an audio graph or another call takes tracks, and must be given this one.
   */
  track: { track: MediaStreamTrack };
}

/** A running interpretation. */
export interface Translation extends TypedTarget<TranslationEvents> {
  /** The translated speech. The same stream for good, whatever becomes of the connection. */
  readonly stream: MediaStream;
  readonly captions: TypedTarget<CaptionEvents>;
  readonly state: State;
  /** Another direction, from the next phrase on. */
  setLanguages(languages: { source?: string; target?: string }): void;
  /** Listen to another track. */
  replaceTrack(track: MediaStreamTrack): Promise<void>;
  /** Push-to-talk begins; `commit` ends it. */
  begin(): void;
  /** End the phrase: translate now what was said so far. */
  commit(): void;
  /** Stop speaking now, and forget what waits to be spoken. */
  clear(): void;
  /** Everything said so far, in the order of speaking. */
  transcript(): Segment[];
  stats(): Promise<RTCStatsReport | null>;
  /** End it; unless `drain` is false, what was said is still spoken first. */
  stop(how?: { drain?: boolean }): Promise<void>;
}

/**
 * Have a track interpreted. Resolves when the translation flows; rejects with a `ClientError`, or
 * with an AbortError when `signal` gave up. The caller keeps the track and ends it.
 */
export function attachTranslation(
  track: MediaStreamTrack,
  options: AttachOptions,
): Promise<Translation>;

/** Reason for which a session could not start, or ended. */
export class ClientError extends Error {
  constructor(
    code: string,
    message?: string,
    status?: number,
    retryAfterMs?: number,
    reason?: string,
  );
  /**
   * webrtc_missing, worklet_missing, server_unreachable, server_busy, unauthorized,
   * language_unavailable, server_refused, connect_failed, connection_lost, server_gone,
   * session_ended, session_idle, session_limit.
   */
  readonly code: string;
  /** The server's sentence, if it gave one. */
  readonly detail: string;
  /** Of the HTTP answer, or 0. */
  readonly status: number;
  /** Time that the server asks to wait before the next try, or 0. */
  readonly retryAfterMs: number;
  /** The server's own code for a refusal, such as `session_limit_reached`, or "". */
  readonly reason: string;
  /** The position in the server's line, with `queue`; 1 is next. */
  readonly queue: { ticket: string; position: number } | null;
  /** True if the same may work a little later. */
  readonly retryable: boolean;
  static fromResponse(response: Response): Promise<ClientError>;
}

/** The messages of the protocol, as they come. */
export interface ClientEvents extends Omit<TranslationEvents, "state" | "track"> {
  state: { state: State; error: ClientError | null };
  /** Comes again after a reconnection. */
  track: { stream: MediaStream };
  session: { id: string; [name: string]: unknown };
  /** The server is full, and `queue` is set: the position in its line, 1 for the next. */
  waiting: { position: number };
  segment: Omit<Segment, "key">;
  playout: Omit<Playout, "key">;
}

/** One session, under `attachTranslation`: for applications that keep captions themselves. */
export class TranslationClient implements TypedTarget<ClientEvents> {
  constructor(options?: ClientOptions);
  readonly state: State;
  start(track: MediaStreamTrack, settings: SessionSettings): Promise<void>;
  stop(how?: { drain?: boolean }): Promise<void>;
  /** Settings as in the protocol's `x.session`. Returns whether they could be sent at once. */
  update(settings: { [name: string]: unknown }): boolean;
  replaceTrack(track: MediaStreamTrack): Promise<void>;
  /** One client event of the protocol. */
  send(event: { type: string; [name: string]: unknown }): boolean;
  stats(): Promise<RTCStatsReport | null>;
  addEventListener: TypedTarget<ClientEvents>["addEventListener"];
  removeEventListener: TypedTarget<ClientEvents>["removeEventListener"];
  dispatchEvent(event: Event): boolean;
}

export interface RoomOptions extends Omit<ClientOptions, "transport"> {
  /** Name of the room. */
  room: string;
}

export interface RoomState {
  /** Somebody speaks, so that one can listen. */
  readonly live: boolean;
  readonly source: string;
  readonly listeners: number;
  /** The original is the first. */
  readonly languages: { language: string; listeners: number }[];
  readonly expires_in_ms?: number;
}

/** A room: one speaker, and listeners who each hear their language. Methods reject with a `ClientError`. */
export class RoomClient {
  constructor(options: RoomOptions);
  state(): Promise<RoomState>;
  /** The address for listeners, for who may speak. */
  invite(): Promise<{ url: string; qr_svg: string }>;
  languages(): Promise<{
    pairs: { source: string; target: string }[];
    default: { source: string; target: string };
  }>;
  /** Speak until `stop`, again after each loss. */
  speak(track: MediaStreamTrack, settings: { source: string }): RoomCall;
  /** Hear one language, with its captions. Once lost it is over. */
  listen(language: string): RoomCall;
  /** Captions alone, without a connection for audio. */
  captions(
    language: string,
    how?: { lastId?: string; signal?: AbortSignal },
  ): AsyncGenerator<{ id: string; event: any }, void, void>;
}

export type RoomCallState = "connecting" | "live" | "reconnecting" | "closed";

export interface RoomCallEvents {
  state: { state: RoomCallState; error: ClientError | null };
  /** The audio of the room. */
  track: { track: MediaStreamTrack };
  /** A server event of the protocol. */
  message: { event: any };
}

/** A speaker's or listener's connection to a room; `RoomClient` makes it. */
export class RoomCall implements TypedTarget<RoomCallEvents> {
  private constructor();
  readonly state: RoomCallState;
  /** End it. No event follows. */
  stop(): void;
  /** Speak with another track from now on. */
  replaceTrack(track: MediaStreamTrack): Promise<void>;
  /** Make another connection: this one leads nowhere, as the caller knows. */
  renew(): void;
  addEventListener: TypedTarget<RoomCallEvents>["addEventListener"];
  removeEventListener: TypedTarget<RoomCallEvents>["removeEventListener"];
  dispatchEvent(event: Event): boolean;
}
