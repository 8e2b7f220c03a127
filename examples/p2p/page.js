/** The call, and the one step that makes it understood. */
import { call } from "./call.js";

const asked = new URLSearchParams(location.search);
const url = asked.get("server") ?? "http://127.0.0.1:8000/";
const [mine, theirs] = [asked.get("mine") ?? "en", asked.get("theirs") ?? "ru"];
const library = import(new URL("static/client.js", url));
const at = (id) => document.getElementById(id);

at("join").addEventListener("click", async () => {
  at("join").disabled = true;
  at("state").textContent = "Waiting for the other one";
  const [microphone] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks();
  const voice = await call(microphone);
  at("original").srcObject = new MediaStream([voice]);
  at("original").volume = 0.1; // softly, under the translation

  const { attachTranslation } = await library;
  const translation = await attachTranslation(voice, { url, source: theirs, target: mine });
  at("translated").srcObject = translation.stream;
  translation.captions.addEventListener("segment", ({ detail: { status, target } }) => {
    if (status !== "final") return;
    const caption = document.createElement("li");
    caption.lang = target.language;
    caption.textContent = target.text;
    at("captions").append(caption);
  });
  at("state").textContent = "In the call";
});
