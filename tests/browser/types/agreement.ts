// The documented types against those that the compiler reads off the JavaScript itself.
import type * as Documented from "rtc-server-client";
import type * as DocumentedElement from "rtc-server-client/speech-translate.js";
import type * as Client from "./made/client/session.js";
import type * as Attach from "./made/client/attach.js";
import type * as Call from "./made/client/room-call.js";
import type * as Room from "./made/client/room.js";
import type * as Errors from "./made/client/errors.js";
import type * as Element from "./made/speech-translate.js";
import type * as Entry from "./made/client.js";

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
function hold<_Claim extends true>(): void {}

// Nothing is exported but what is documented, and all of it is.
hold<Same<keyof typeof Documented, keyof typeof Entry>>();
// The same members, no more and no fewer.
hold<Same<keyof Documented.Translation, keyof Attach.Translation>>();
hold<Same<keyof Documented.TranslationClient, keyof Client.TranslationClient>>();
hold<Same<keyof Documented.RoomClient, keyof Room.RoomClient>>();
hold<Same<keyof Documented.RoomCall, keyof Call.RoomCall>>();
hold<Same<Documented.RoomCallState, Call.RoomCallState>>();
hold<Same<keyof Documented.ClientError, keyof Errors.ClientError>>();
hold<Same<keyof DocumentedElement.SpeechTranslate & string, ElementKeys>>();
hold<Same<Documented.State, Client.State>>();

// The mirrored attributes are defined in a loop, which the compiler does not follow.
type ElementKeys =
  | Exclude<keyof Element.SpeechTranslate, "connectedCallback" | "disconnectedCallback" | "attributeChangedCallback">
  | "url" | "source" | "target" | "input" | "transport";
