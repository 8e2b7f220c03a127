/** The speaker's page of a room: the link for the others, who listens, and a microphone. */
import { ask, connect, room, useKey } from "./room-server.js";
import { languageName, speakInterface, text } from "./room-words.js";

const LOOK_MS = 3000;
const [keyForm, form, source, toggle, status, languages] = [
  "#key-form", "#speaking", "#source", "#toggle", "#status", "#languages",
].map((each) => document.querySelector(each));

let phase = "silent";
/** @type {{language: string, listeners: number}[]} */ let counts = [];
/** @type {string[]} */ let sources = [];
/** @type {{stop: () => void}|null} */ let speaking = null;

function show(next) {
  phase = next;
  status.textContent = text(next);
  toggle.textContent = text(speaking ? "stop" : "speak");
  toggle.disabled = !sources.length;
}

/** The link and the languages, once the server lets us in. */
async function enter() {
  const response = await ask(`v1/rooms/${room}/link`, { method: "POST" }).catch(() => null);
  keyForm.hidden = response?.status !== 401;
  if (!response?.ok) return show("keyNeeded");
  const { url, qr_svg: svg } = await response.json();
  const link = document.querySelector("#link");
  link.href = link.textContent = url;
  document.querySelector("#qr").src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  document.querySelector("#invitation").hidden = false;
  const known = await (await ask("v1/languages")).json();
  sources = [...new Set(known.pairs.map((pair) => pair.source))];
  fill();
  source.value = known.default.source;
  show("silent");
  watch();
}

function fill() {
  const before = source.value;
  source.replaceChildren(...sources.map((code) => new Option(languageName(code), code)));
  if (before) source.value = before;
  const rows = counts.map(({ language, listeners }) =>
    Object.assign(document.createElement("li"), { textContent: `${languageName(language)}: ${listeners}` }),
  );
  languages.replaceChildren(...rows);
}

async function watch() {
  for (;;) {
    const response = await ask(`v1/rooms/${room}`).catch(() => null);
    const state = response?.ok ? await response.json() : { listeners: 0, languages: [] };
    document.querySelector("#count").textContent = state.listeners;
    counts = state.languages;
    fill();
    await new Promise((wake) => setTimeout(wake, LOOK_MS));
  }
}

async function speak() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    return show("noMicrophone");
  }
  const peer = new RTCPeerConnection();
  const [track] = stream.getAudioTracks();
  let hangUp = () => {};
  const mine = { stop: () => (hangUp(), peer.close(), track.stop()) };
  const over = (next) => {
    mine.stop();
    if (speaking === mine) speaking = null;
    show(next);
  };
  speaking = mine;
  peer.addTransceiver(track, { direction: "sendonly", streams: [stream] });
  peer.addEventListener("connectionstatechange", () => {
    if (peer.connectionState === "connected") show("speaking");
    else if (peer.connectionState === "failed") over("lost");
  });
  show("connecting");
  try {
    const opened = await connect(peer, `whip/${room}?source=${source.value}`);
    hangUp = opened.hangUp;
    if (speaking !== mine) mine.stop();
    else if (opened.status !== 201) over(opened.status === 409 ? "taken" : "lost");
  } catch {
    over("lost");
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!speaking) return speak();
  speaking.stop();
  speaking = null;
  show("silent");
});
keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(document.querySelector("#key").value);
  enter();
});
addEventListener("pagehide", () => speaking?.stop());

document.querySelector("#room").textContent = room;
speakInterface(() => {
  fill();
  show(phase);
});
enter();
