/**
 * The client library: live interpretation of any audio track, in any application. No DOM in here.
 *
 *     const translation = await attachTranslation(track, { url, token, source: "ru", target: "en" });
 *     audio.srcObject = translation.stream;
 *     translation.captions.addEventListener("segment", ({ detail }) => show(detail));
 */
export { attachTranslation } from "./client/attach.js";
export { ClientError } from "./client/errors.js";
export { RoomCall } from "./client/room-call.js";
export { RoomClient } from "./client/room.js";
export { TranslationClient } from "./client/session.js";
