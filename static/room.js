/** The speaker's page of a room: the link for the others, who listens, and a microphone. */
import { openMicrophone } from "./audio.js";
import { listDevices } from "./devices.js";
import { find } from "./dom.js";
import { Backoff } from "./client/backoff.js";
import { watchLevel } from "./graph.js";
import { offerInterface, renderTexts } from "./interface.js";
import { fillSelect } from "./languages.js";
import { ListenLog } from "./listen-log.js";
import { LevelMeter } from "./meter.js";
import { recall, remember } from "./prefs.js";
import { ask, connect, events, refusal, room, useKey } from "./room-server.js";
import { interfaceLanguage, languageName, text, useWords } from "./strings.js";
import { Transcript } from "./transcript.js";
import { WakeLock } from "./wake.js";
import { write } from "./write.js";

await useWords("room");

const LOOK_MS = 3000;
const EXPIRING_MS = 60_000;
const PATIENCE_MS = 10 * 60_000; // with a connection that was lost
const REFUSALS = [401, 403, 409, 422, 429, 503]; // for which the server has a sentence
const COPIED_MS = 1500;
const LOOPBACK = /^(localhost|127\.|\[::1\]$)/;
const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
const keyForm = find("#key-form", HTMLFormElement);
const form = find("#speaking", HTMLFormElement);
const source = find("#source", HTMLSelectElement);
const microphone = find("#microphone", HTMLSelectElement);
const meter = find("#meter", LevelMeter);
const toggle = find("#toggle", HTMLButtonElement);
const status = find("#status", HTMLElement);
const languages = find("#languages", HTMLElement);
const captions = find("#captions", ListenLog);
const link = find("#link", HTMLAnchorElement);

const wakeLock = new WakeLock();
let phase = "silent";
/** @type {{language: string, listeners: number}[]} */ let counts = [];
/** @type {string[]} */ let sources = [];
/** @type {{stop: () => void}|null} */ let speaking = null;
/** Whether this page itself reads the room, and is no listener. */ let reading = false;

/** @param {string} next  a key of the words  @param {string} [sentence]  better ones, of the server */
function show(next, sentence = "") {
  phase = next;
  const known = interfaceLanguage() === "en" ? sentence : ""; // the server's own are English
  write(status, known || text(`room.${next}`));
  document.body.toggleAttribute("data-running", speaking !== null);
  write(find("#toggle-text", HTMLElement), text(speaking ? "stop" : "room.speak"));
  toggle.disabled = !sources.length;
  wakeLock.hold(speaking !== null);
}

/** The link and the languages, once the server lets us in. */
async function enter() {
  keyForm.hidden = true;
  const response = await insist(`v1/rooms/${room}/link`, { method: "POST" });
  keyForm.hidden = response.status !== 401;
  if (response.status === 401) return show("keyNeeded");
  if (!response.ok) return show("notLetIn", (await refusal(response)).sentence);
  const { url, qr_svg: svg } = await response.json();
  link.href = link.textContent = url;
  for (const id of ["#qr", "#qr-too"]) {
    find(id, HTMLImageElement).src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  }
  find("#loopback", HTMLElement).hidden = !LOOPBACK.test(new URL(url).hostname);
  find("#invitation", HTMLElement).hidden = false;
  const known = await (await insist("v1/languages")).json();
  sources = [...new Set(known.pairs.map((pair) => pair.source))];
  const usual = known.default.source;
  fillSelect(source, sources, sources.includes(usual) ? usual : sources[0]);
  show("silent");
  watch();
}

/** Ask until there is an answer other than to come again. */
async function insist(path, init) {
  const patience = new Backoff(performance.now(), Infinity);
  for (;;) {
    const response = await ask(path, init).catch(() => null);
    if (response?.ok) return response;
    const waitMs = response ? (await refusal(response.clone())).waitMs : 0;
    if (waitMs === null) return response;
    show(response ? "busy" : "lost");
    await pause(patience.next(performance.now(), waitMs));
  }
}

function showCounts() {
  const rows = counts.map(({ language, listeners }) =>
    Object.assign(document.createElement("li"), { textContent: `${languageName(language)}: ${listeners}` }),
  );
  languages.replaceChildren(...rows);
}

async function watch() {
  for (;;) {
    const response = await ask(`v1/rooms/${room}`).catch(() => null);
    const state = response?.ok ? await response.json() : { listeners: 0, languages: [] };
    const own = ({ language }) => (reading && language === state.source ? 1 : 0);
    counts = state.languages.map((each) => ({ ...each, listeners: each.listeners - own(each) }));
    write(find("#count", HTMLElement), String(state.listeners - (reading ? 1 : 0)));
    showCounts();
    if (phase === "speaking") {
      const expiring = (state.expires_in_ms ?? Infinity) <= EXPIRING_MS;
      write(status, text(`room.${expiring ? "expiring" : phase}`)); // speech may call it off
    }
    await pause(LOOK_MS);
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
    const { track } = await openMicrophone(microphone.value);
    stream = new MediaStream([track]);
  } catch {
    return over("noMicrophone");
  }
  const [track] = stream.getAudioTracks();
  if (stopped.signal.aborted) return track.stop();
  const metering = watchLevel(track, (rms) => meter.push(rms)).catch(() => () => {});
  stopped.signal.addEventListener("abort", async () => {
    track.stop();
    (await metering)();
    meter.reset();
  });
  listMicrophones(); // only now does the browser tell their names
  track.addEventListener("ended", () => over("microphoneGone"));
  let patience = new Backoff(performance.now(), PATIENCE_MS);
  while (speaking === mine) {
    let [reason, atLeastMs] = ["lost", 0];
    try {
      await beHeard(stream, stopped.signal, () => {
        patience = new Backoff(performance.now(), PATIENCE_MS);
      });
    } catch (error) {
      const { waitMs = null } = error;
      const again = waitMs !== null && waitMs < PATIENCE_MS;
      if (REFUSALS.includes(error.status) && !again) return over("notLetIn", error.sentence);
      if (again) [reason, atLeastMs] = ["busy", waitMs];
    }
    const waitMs = patience.next(performance.now());
    if (waitMs === null) return over("gaveUp");
    if (speaking !== mine) return;
    show(reason);
    await pause(atLeastMs + waitMs);
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
      prove(ended.signal).then(end);
    });
  };
  try {
    await connect(`whip/${room}?source=${source.value}`, prepare, ended.signal);
    await lost;
  } finally {
    stop.removeEventListener("abort", end);
  }
}

/**
 * Show what the listeners of the original read: the proof that one is heard. Returns when the room is over: its
 * connection may go on for half a minute without telling.
 */
async function prove(over) {
  const transcript = new Transcript();
  const path = `v1/rooms/${room}/captions?language=${source.value}`;
  find("#proof", HTMLElement).hidden = false;
  captions.clear();
  let lastId;
  while (!over.aborted) {
    reading = true;
    try {
      for await (const { id, data } of events(path, lastId, over)) {
        lastId = id;
        const event = JSON.parse(data);
        if (event.type !== "x.segment") continue;
        const segment = transcript.apply({ ...event, key: event.segment_id }, new Date());
        if (segment) captions.show(segment);
      }
    } catch {
      // a full room has no place for it
    }
    reading = false;
    const there = await ask(`v1/rooms/${room}`).catch(() => null);
    if (there?.status === 404 || (there?.ok && !(await there.json()).live)) return;
    await pause(LOOK_MS);
  }
}

async function listMicrophones() {
  const named = (await listDevices("audioinput")).filter(({ id }) => id !== "default");
  const chosen = recall("room-microphone", "");
  microphone.replaceChildren(
    new Option(text("defaultMicrophone"), ""),
    ...named.map(({ id, label }) => new Option(label, id)),
  );
  microphone.value = named.some(({ id }) => id === chosen) ? chosen : "";
}

microphone.addEventListener("change", () => {
  remember("room-microphone", microphone.value);
  if (!speaking) return;
  speaking.stop();
  speak();
});
const copy = find("#copy", HTMLButtonElement);
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(link.href);
  copy.textContent = text("copied");
  setTimeout(() => (copy.textContent = text("room.copyLink")), COPIED_MS);
});
document.querySelector("#show-qr").addEventListener("click", () => {
  find("#large-qr", HTMLDialogElement).showModal();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!speaking) return speak();
  speaking.stop();
  speaking = null;
  show("silent");
});
keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(find("#key", HTMLInputElement).value);
  enter();
});
addEventListener("pagehide", () => speaking?.stop());

document.querySelector("#room").textContent = room;
function renderInterface() {
  renderTexts();
  document.title = `${text("room.room")} ${room} – ${text("title")}`;
  if (sources.length) fillSelect(source, sources, source.value);
  captions.translateInterface();
  listMicrophones();
  showCounts();
  show(phase);
}
offerInterface(find("#interface", HTMLSelectElement), renderInterface);
renderInterface();
enter();
