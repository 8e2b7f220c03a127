/** An ordinary call between two pages, as any application has one. It knows of no interpreter. */

/**
 * @param {MediaStreamTrack} microphone
 * @returns {Promise<MediaStreamTrack>} what the other one says
 */
export async function call(microphone) {
  const channel = new BroadcastChannel("p2p-call");
  const peer = new RTCPeerConnection();
  peer.addTrack(microphone, new MediaStream([microphone]));
  const me = crypto.randomUUID();
  const say = (message) => channel.postMessage({ from: me, ...message });
  peer.addEventListener("icecandidate", ({ candidate }) => {
    if (candidate) say({ candidate: candidate.toJSON() });
  });
  const early = []; // candidates may overtake the description
  let called = false; // who greet each other at the same time greet twice
  const take = async (description) => {
    await peer.setRemoteDescription(description);
    for (const candidate of early.splice(0)) await peer.addIceCandidate(candidate);
  };
  channel.addEventListener("message", async ({ data: { from, hello, offer, answer, candidate } }) => {
    if (hello && me > from) {
      if (called) return;
      called = true;
      await peer.setLocalDescription();
      say({ offer: peer.localDescription.toJSON() });
    } else if (hello === "first") {
      say({ hello: "again" }); // we were here before, and the other one calls
    } else if (offer) {
      await take(offer);
      await peer.setLocalDescription();
      say({ answer: peer.localDescription.toJSON() });
    } else if (answer) {
      await take(answer);
    } else if (candidate) {
      if (peer.remoteDescription) await peer.addIceCandidate(candidate);
      else early.push(candidate);
    }
  });
  const spoken = new Promise((resolve) => {
    peer.addEventListener("track", ({ track }) => resolve(track), { once: true });
  });
  say({ hello: "first" });
  return spoken;
}
