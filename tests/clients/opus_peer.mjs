/** Parts of the peers here: ../support/opus_peer.py says what they are given and what they print. */
import { readFileSync } from "node:fs";

const PACKET_MS = 20;
const PACKET_SAMPLES = 960;

/** Send an offer; return the answer, or end the process with what the server said. */
export async function negotiate(url, offer) {
  const headers = { "Content-Type": "application/sdp" };
  const answered = await fetch(url, { method: "POST", headers, body: offer });
  const answer = await answered.text();
  if (answered.status === 201) return answer;
  console.log("error", answered.status, answer);
  process.exit(1);
}

/** Hand each packet of the standard input to `send` in real time, over and over. */
export function speak(send) {
  const packets = readFileSync(0, "utf8").split("\n").filter(Boolean);
  const began = performance.now();
  let sent = 0;
  setInterval(() => {
    for (; began + sent * PACKET_MS <= performance.now(); sent++) {
      const payload = Buffer.from(packets[sent % packets.length], "base64");
      send(payload, { sequenceNumber: sent % 65_536, timestamp: sent * PACKET_SAMPLES });
    }
  }, PACKET_MS);
}
