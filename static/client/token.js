/** What opens a session, and where it comes from. */
/**
 * @typedef {object} ClientSecret  the answer of `client_secrets`
 * @property {string} value
 * @property {number} [expires_at]  Unix time in seconds
 * @property {{ice_servers?: RTCIceServer[], ice_transport_policy?: RTCIceTransportPolicy}} [x]
 *
 * @typedef {string|ClientSecret} Token
 *
 * Where a token comes from: one for good, or a function. A `TranslationClient` asks it, with nothing,
 * for each session that it opens; in line, once the answer has expired. A `RoomClient` asks once, with nothing, and
 * keeps the answer; again with that when the server refused it.
 *
 * @typedef {Token|((refused?: string) => Token|Promise<Token>)} TokenSource
 */

export {}; // types only
