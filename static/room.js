/** The speaker's page of a room: the link for the others, who listens, and a microphone. */
import { Backoff } from "./client/backoff.js";
import { ask, connect, room, useKey } from "./room-server.js";
import { WakeLock } from "./wake.js";
import { languageName, speakInterface, text } from "./room-words.js";

const LOOK_MS = 3000;
const EXPIRING_MS = 60_000;
const PATIENCE_MS = 10 * 60_000; // with a connection that was lost
const REFUSALS = [401, 403, 409, 422, 429, 503]; // for which the server has a sentence
const [keyForm, form, source, toggle, status, languages] = [
  "#key-form", "#speaking", "#source", "#toggle", "#status", "#languages",
].map((each) => document.querySelector(each));

const wakeLock = new WakeLock();
let phase = "silent";
/** @type {{language: string, listeners: number}[]} */ let counts = [];
/** @type {string[]} */ let sources = [];
/** @type {{stop: () => void}|null} */ let speaking = null;

/** @param {string} next  a key of the words  @param {string} [sentence]  better ones, of the server */
function show(next, sentence = "") {
  phase = next;
  status.textContent = sentence || text(next);
  toggle.textContent = text(speaking ? "stop" : "speak");
  toggle.disabled = !sources.length;
  wakeLock.hold(speaking !== null);
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
    if (phase === "speaking") {
      const expiring = (state.expires_in_ms ?? Infinity) <= EXPIRING_MS;
      status.textContent = text(expiring ? "expiring" : phase); // speech may call it off
    }
    await new Promise((wake) => setTimeout(wake, LOOK_MS));
  }
}

/** Be heard until Stop or a refusal, again after each loss. */
async function speak() {
  const stopped = new AbortController();
  const mine = { stop: () => stopped.abort() };
  const over = (next, sentence) => {
    if (speaking !== mine) return;
    mine.stop();
    speaking = null;
    show(next, sentence);
  };
  speaking = mine;
  show("connecting");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    return over("noMicrophone");
  }
  const [track] = stream.getAudioTracks();
  if (stopped.signal.aborted) return track.stop();
  stopped.signal.addEventListener("abort", () => track.stop());
  track.addEventListener("ended", () => over("microphoneGone"));
  let patience = new Backoff(performance.now(), PATIENCE_MS);
  while (speaking === mine) {
    try {
      await beHeard(stream, stopped.signal, () => {
        patience = new Backoff(performance.now(), PATIENCE_MS);
      });
    } catch ({ status, sentence }) {
      if (REFUSALS.includes(status)) return over("notLetIn", sentence);
    }
    const waitMs = patience.next(performance.now());
    if (waitMs === null) return over("gaveUp");
    if (speaking !== mine) return;
    show("lost");
    await new Promise((wake) => setTimeout(wake, waitMs));
  }
}

/** One connection, until it is lost. */
async function beHeard(stream, stop, connected) {
  const ended = new AbortController();
  const end = () => ended.abort();
  stop.addEventListener("abort", end);
  const lost = new Promise((resolve) => ended.signal.addEventListener("abort", resolve));
  const prepare = (peer) => {
    peer.addTransceiver(stream.getAudioTracks()[0], { direction: "sendonly", streams: [stream] });
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "failed") end();
      if (peer.connectionState !== "connected") return;
      connected();
      show("speaking");
    });
  };
  try {
    await connect(`whip/${room}?source=${source.value}`, prepare, ended.signal);
    await lost;
  } finally {
    stop.removeEventListener("abort", end);
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
