/** What the pages of a room ask the server. */
import { askedToWaitMs } from "./client/errors.js";
import { iceServersOf } from "./client/ice.js";

const base = new URL("..", location.href);
export const room = location.pathname.split("/").at(-1);

const KEPT = "room-secret"; // so that a reload is the same speaker
const GATHERING_MS = 1000;
const RELAY_GATHERING_MS = 5000;
const HANG_UP_MS = 2000; // a server that is gone does not answer

let token = location.hash.startsWith("#ek_") ? location.hash.slice(1) : "";
let fromPage = false; // the token is a page secret, which can be had anew
/** @type {RTCConfiguration} */ let configuration = { iceServers: [], iceTransportPolicy: "all" };

try {
  const kept = !token && sessionStorage.getItem(KEPT);
  if (kept) take(JSON.parse(kept));
} catch {} // no storage here

/** Show another key from now on. @param {string} key */
export function useKey(key) {
  token = key;
  fromPage = false;
}

/** A request to the server; where it asks for a key, with the page's own if it has one. */
export async function ask(path, init = {}) {
  const send = () =>
    fetch(new URL(path, base), { cache: "no-store", ...init, headers: { ...init.headers, ...authorization() } });
  const response = await send();
  if (response.status !== 401 || (token && !fromPage)) return response;
  const answer = await fetch(new URL("page/secret", base), { method: "POST" });
  if (!answer.ok) return response;
  const secret = await answer.json();
  take(secret);
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(secret));
  } catch {} // then a reload is somebody else
  return send();
}

function take({ value, x }) {
  token = value;
  fromPage = true;
  configuration = { iceServers: x?.ice_servers ?? [], iceTransportPolicy: x?.ice_transport_policy ?? "all" };
}

function authorization() {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** Take the ICE servers of an answer. @returns {boolean} whether none were known before */
function learn(response) {
  const iceServers = iceServersOf(response.headers.get("Link") ?? "");
  const news = iceServers.length > 0 && configuration.iceServers.length === 0;
  if (iceServers.length) configuration = { ...configuration, iceServers };
  return news;
}

/**
 * What the server says when it refuses.
 * @typedef {Error & {status: number, code: string, sentence: string, waitMs: number|null}} Refusal
 * `waitMs`: when to ask again; null where that would be of no use.
 * @param {Response} response  @returns {Promise<Refusal>}
 */
export async function refusal(response) {
  const { detail: sentence = "", error } = await response.json().catch(() => ({}));
  const waitMs = askedToWaitMs(response);
  const { status } = response;
  return Object.assign(new Error("refused"), { status, code: error?.code ?? "", sentence, waitMs });
}

/**
 * Exchange offer and answer; once more where the answer names ICE servers that were not known.
 * @param {string} path
 * @param {(peer: RTCPeerConnection) => void} prepare  adds what the peer sends and receives
 * @param {AbortSignal} signal  ends the call, here and at the server
 * @throws {Refusal|Error}  a refusal where the server answered
 */
export async function connect(path, prepare, signal) {
  const peer = new RTCPeerConnection(configuration);
  let place = null;
  const close = async () => {
    for (const { track } of peer.getReceivers()) track.stop(); // silent at once, whatever follows
    if (place) {
      const patience = AbortSignal.timeout(HANG_UP_MS);
      const request = { method: "DELETE", keepalive: true, headers: authorization(), signal: patience };
      const there = place;
      place = null;
      // Before the connection goes: the server would notice that, and know no such peer then.
      await fetch(there, request).catch(() => {});
    }
    peer.close();
  };
  signal.addEventListener("abort", close);
  try {
    prepare(peer);
    await peer.setLocalDescription();
    await gathered(peer);
    signal.throwIfAborted();
    const response = await ask(path, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: peer.localDescription.sdp,
    });
    if (!response.ok) throw await refusal(response);
    place = new URL(response.headers.get("Location"), base);
    const answer = await response.text();
    signal.throwIfAborted();
    if (!learn(response)) return await peer.setRemoteDescription({ type: "answer", sdp: answer });
  } catch (error) {
    close();
    throw error;
  }
  await close();
  signal.throwIfAborted();
  return connect(path, prepare, signal);
}

async function gathered(peer) {
  const ms = configuration.iceTransportPolicy === "relay" ? RELAY_GATHERING_MS : GATHERING_MS;
  const timer = new Promise((resolve) => setTimeout(resolve, ms));
  const complete = new Promise((resolve) => {
    const look = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", look);
    look();
  });
  await Promise.race([timer, complete]);
}

/** Server-sent events by fetch, which can show a key. @yields {{id: string, data: string}} */
export async function* events(path, lastId, signal) {
  const headers = lastId ? { "Last-Event-ID": lastId } : {};
  const response = await ask(path, { headers, signal });
  if (!response.ok) throw await refusal(response);
  let rest = "";
  for await (const chunk of readable(response.body.pipeThrough(new TextDecoderStream()))) {
    const whole = (rest + chunk).split("\n\n");
    rest = whole.pop();
    for (const event of whole) {
      const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: (.*)/s)));
      if (fields.data) yield { id: fields.id, data: fields.data };
    }
  }
}

async function* readable(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
