/** The room that a page of it is about, and what the page shows the server. */
import { ClientError } from "./client/errors.js";
import { RoomClient } from "./client/room.js";

const KEPT = "room-secret"; // so that a reload is the same speaker
const base = new URL("..", location.href);

export const roomName = location.pathname.split("/").at(-1);
export const room = new RoomClient({ url: base, room: roomName, token });

/** Of the link, or typed. */ let key = location.hash.startsWith("#ek_") ? location.hash.slice(1) : "";
/** The page's own, which can be had anew. @type {import("./client/token.js").ClientSecret|null} */
let secret = null;

/** Show this from now on. @param {string} typed */
export function useKey(typed) {
  key = typed;
}

/** @type {(refused?: string) => Promise<import("./client/token.js").Token>} */
async function token(refused) {
  if (key) return key;
  secret ??= kept();
  if (refused === undefined) return secret ?? "";
  const answer = await fetch(new URL("page/secret", base), { method: "POST" }).catch(() => {
    throw new ClientError("server_unreachable");
  });
  if (!answer.ok) return refused;
  secret = await answer.json();
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(secret));
  } catch {} // then a reload is somebody else
  return secret;
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null; // no storage here
  }
}
