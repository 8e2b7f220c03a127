/**
 * A WebRTC peer of werift's: `node werift_peer.mjs ROLE URL < packets`. It offers audio and video;
 * a caller also a data channel.
 */
import { MediaStreamTrack, RTCPeerConnection, RtpHeader, RtpPacket, useOPUS, useVP8 } from "werift";

import { negotiate, speak } from "./opus_peer.mjs";

const [role, url] = process.argv.slice(2);
const direction = { caller: "sendrecv", speaker: "sendonly", listener: "recvonly" }[role];

const peer = new RTCPeerConnection({
  bundlePolicy: "max-bundle",
  codecs: { audio: [useOPUS()], video: [useVP8()] },
  iceServers: [],
  iceAdditionalHostAddresses: ["127.0.0.1"],
});
const microphone = new MediaStreamTrack({ kind: "audio" });
const camera = new MediaStreamTrack({ kind: "video" });
for (const track of [microphone, camera]) {
  peer.addTransceiver(role === "listener" ? track.kind : track, { direction });
}
peer.onTrack.subscribe((track) => {
  track.onReceiveRtp.subscribe(({ payload }) => console.log("audio", payload.toString("base64")));
});
if (role === "caller") {
  const channel = peer.createDataChannel("oai-events");
  channel.onMessage.subscribe((message) => console.log("event", JSON.parse(message).type));
}
peer.connectionStateChange.subscribe((state) => {
  if (state !== "connected") return;
  console.log("connected");
  if (role === "listener") return;
  speak((payload, header) => microphone.writeRtp(new RtpPacket(new RtpHeader(header), payload)));
});

await peer.setLocalDescription(await peer.createOffer());
const answer = await negotiate(url, peer.localDescription.sdp);
await peer.setRemoteDescription({ type: "answer", sdp: answer });
