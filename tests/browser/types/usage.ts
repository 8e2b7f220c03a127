// How an application uses the library, as its documented types must allow and forbid it.
import {
  attachTranslation,
  ClientError,
  RoomCall,
  RoomClient,
  TranslationClient,
  type Segment,
} from "rtc-server-client";
import "rtc-server-client/speech-translate.js";

export async function use(track: MediaStreamTrack): Promise<Segment[]> {
  const translation = await attachTranslation(track, {
    url: "https://interpreter.example/",
    token: async () => ({ value: "ek_1", x: { ice_servers: [{ urls: ["turn:a"] }] } }),
    source: "ru",
    target: "en",
    transport: "webrtc",
    iceTransportPolicy: "relay",
    signal: new AbortController().signal,
  });
  new Audio().srcObject = translation.stream;
  translation.captions.addEventListener("segment", ({ detail }) => {
    const text: string = detail.target.text;
    if (detail.status === "final") console.log(text, detail.key);
    // @ts-expect-error: no such status
    if (detail.status === "done") return;
  });
  translation.addEventListener("state", ({ detail: { state, error } }) => {
    if (state === "reconnecting") console.log(error?.code);
  });
  translation.addEventListener("track", ({ detail }) => detail.track.readyState);
  // @ts-expect-error: captions have no such event
  translation.captions.addEventListener("word", () => {});
  // @ts-expect-error: a language is needed
  await attachTranslation(track, { source: "ru" });
  // @ts-expect-error: no such transport
  await attachTranslation(track, { source: "ru", target: "en", transport: "pigeon" });
  translation.setLanguages({ target: "de" });
  translation.begin();
  translation.commit();
  translation.clear();
  await translation.replaceTrack(track);
  await translation.stop({ drain: false });
  return translation.transcript();
}

export async function useClient(track: MediaStreamTrack): Promise<void> {
  const client = new TranslationClient({ token: "ek_1" });
  client.addEventListener("track", ({ detail }) => detail.stream.getTracks());
  client.addEventListener("segment", ({ detail }) => detail.segment_id);
  try {
    await client.start(track, { source: "ru", target: "en", vad: { mode: "off" } });
  } catch (error) {
    if (error instanceof ClientError && error.retryable) console.log(error.code, error.status);
  }
  const sent: boolean = client.update({ target_language: "fr" });
  console.log(sent, client.state);
  // @ts-expect-error: read only
  client.state = "live";
}

export async function useRoom(track: MediaStreamTrack): Promise<void> {
  const room = new RoomClient({ room: "hall", token: (refused) => (refused ? "ek_2" : "ek_1") });
  const call = room.speak(track, { source: "ru" });
  await call.replaceTrack(track);
  call.addEventListener("state", ({ detail }) => detail.error?.reason);
  room.listen("en").addEventListener("track", ({ detail }) => detail.track.stop());
  for await (const { id, event } of room.captions("en")) console.log(id, event);
  const { live } = await room.state();
  if (!live) call.stop();
  // @ts-expect-error: the room makes it
  new RoomCall();
}

export function useElement(): void {
  const element = document.createElement("speech-translate");
  element.source = "ru";
  element.token = "ek_1";
  element.addEventListener("statechange", ({ detail }) => detail.state);
  element.start();
}
