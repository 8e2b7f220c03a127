/** What every peer connection of ours does over HTTP: an offer, its answer's servers, the end of what it opened. */
import { iceServersOf } from "./ice.js";

const GATHERING_MS = 1000; // host candidates are there in tens of ms; a slow STUN server must not hold us up
const RELAY_GATHERING_MS = 5000; // with a relay alone there is nothing to offer before it answers

/**
 * The offer of a peer connection, with the candidates that were found in time.
 *
 * @param {RTCPeerConnection} peer  with all that it is to send and receive
 * @returns {Promise<string>}
 */
export async function makeOffer(peer) {
  await peer.setLocalDescription();
  const relayed = peer.getConfiguration().iceTransportPolicy === "relay";
  await new Promise((/** @type {(value?: any) => void} */ resolve) => {
    const timer = setTimeout(resolve, relayed ? RELAY_GATHERING_MS : GATHERING_MS);
    const look = () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    };
    peer.addEventListener("icegatheringstatechange", look);
    look();
  });
  return peer.localDescription.sdp;
}

/** Read the ICE servers that an answer names. @param {Response} response */
export function serversOf(response) {
  return iceServersOf(response.headers.get("Link") ?? "");
}

/**
 * End what an offer opened, in a way that survives the page being left.
 *
 * @param {import("./api.js").Api} api
 * @param {{location: string, token: string}} address
 * @param {AbortSignal} [signal]
 * @returns {Promise<unknown>} never rejects: the server frees it by itself, too
 */
export function hangUp(api, { location, token }, signal) {
  return api.fetch(location, { method: "DELETE", keepalive: true, token, signal }).catch(() => {});
}
