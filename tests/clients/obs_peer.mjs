/**
 * A speaker as OBS Studio is one, by OBS's own WebRTC library: `node obs_peer.mjs URL < packets`.
 * What is set here, and in which order, is what OBS's WHIP output sets; the offer goes out at once.
 */
import nodeDataChannel from "node-datachannel";

import { negotiate, speak } from "./opus_peer.mjs";

const { Audio, PeerConnection, RtcpSrReporter, RtpPacketizationConfig, Video } = nodeDataChannel;
const [url] = process.argv.slice(2);
const AUDIO = { type: 111, ssrc: 3_399_219_180 };
const VIDEO = { type: 96, ssrc: 3_399_219_181 };
const RTP_VERSION = 0x80;

const peer = new PeerConnection("obs", { iceServers: [], disableAutoNegotiation: true });
const microphone = new Audio("0", "SendOnly");
microphone.addOpusCodec(AUDIO.type);
microphone.addSSRC(AUDIO.ssrc, "obs", "stream", "stream-audio");
const camera = new Video("1", "SendOnly");
camera.addH264Codec(VIDEO.type);
camera.addSSRC(VIDEO.ssrc, "obs", "stream", "stream-video");
const track = peer.addTrack(microphone);
track.setMediaHandler(
  new RtcpSrReporter(new RtpPacketizationConfig(AUDIO.ssrc, "obs", AUDIO.type, 48_000)),
);
peer.addTrack(camera);
peer.onStateChange((state) => {
  if (state !== "connected") return;
  console.log("connected");
  speak((payload, { sequenceNumber, timestamp }) => {
    const header = Buffer.from([RTP_VERSION, AUDIO.type, ...new Array(10).fill(0)]);
    header.writeUInt16BE(sequenceNumber, 2);
    header.writeUInt32BE(timestamp, 4);
    header.writeUInt32BE(AUDIO.ssrc, 8);
    track.sendMessageBinary(Buffer.concat([header, payload]));
  });
});
peer.onLocalDescription(async (offer) => {
  peer.setRemoteDescription(await negotiate(url, offer), "answer");
});
peer.setLocalDescription("offer");
