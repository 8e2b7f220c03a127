/**
 * What a session object needs of a connection. `WebRtcLink` and `WebSocketLink` both are this; a
 * link carries one session's audio and events over one connection and is used once: when it goes
 * down, the session object makes another.
 *
 * A link knows nothing of what the events mean, except what it must send to open a session.
 *
 * @typedef {object} CallRequest  how a new session is opened
 * @property {string} source  language that is spoken
 * @property {string} target  language to hear
 * @property {object} session  the protocol's `session` object: `x_events`, `x` and the like
 * @property {string} [queue]  ticket of the line before a full server
 *
 * @typedef {object} SessionAddress  where a session is at the server
 * @property {string} location  URL of the session
 * @property {string} token  what opened it; nothing else may resume it or hang it up
 * @property {number} lastSeq  the last `seq` that was seen
 *
 * @typedef {object} LinkMembers
 * @property {(track: MediaStreamTrack, request: CallRequest, address?: SessionAddress|null) => Promise<void>} open
 *     opens a session, or resumes the one at `address`; resolves when audio and events pass both
 *     ways, rejects with a `ClientError`, also when the link is closed meanwhile
 * @property {{location: string, token: string}|null} address  where the session can be resumed; null
 *     when it cannot
 * @property {boolean} [answered]  false while the server has not said a word to this link
 * @property {(event: object) => boolean} send  one client event; false when it could not be sent
 * @property {(track: MediaStreamTrack) => Promise<void>} replaceTrack  send another track instead
 * @property {() => Promise<RTCStatsReport|null>} stats  null where there are none
 * @property {(error?: Error) => void} close  free the connection; the session may be resumed. With
 *     `error`, a pending `open` rejects with it
 * @property {(error?: Error) => Promise<unknown>|null|void} hangUp  end the session too, in a way that
 *     survives the page being left, and `close`; a promise resolves once the server knows
 *
 * The constructor takes the `Api`. Events (each a CustomEvent), none after `close`:
 * "stream" {stream}: the translated speech, once; "message" {event}: a server event, parsed;
 * "weak" and "well": nothing arrives for the moment, and it does again; "servers": the answer
 * brought ICE servers that were not known before; "down" {error}: the connection is dead.
 *
 * @typedef {EventTarget & LinkMembers} Link
 */
export {};
