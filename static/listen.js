/** A listener's page: pick a language, hear it, read it. No microphone. */
import { followEnd, reachByKeyboard } from "./client/scrolling.js";
import { recall, remember } from "./prefs.js";
import { ask, connect, events, room } from "./room-server.js";
import { WakeLock } from "./wake.js";
import { languageName, speakInterface, text } from "./room-words.js";

const RETRY_MS = 3000;
const KEPT = 200; // captions on the page
const [form, select, silent, toggle, status, captions, voice] = [
  "#choice", "#language", "#silent", "#toggle", "#status", "#captions", "#voice",
].map((each) => document.querySelector(each));

/** @type {{source: string, languages: {language: string}[], live: boolean}|null} */ let state = null;
/** What is to be stopped, once somebody pressed Listen. @type {{stop: () => void}|null} */ let session = null;
/** Of the last caption read, by language. @type {Map<string, string>} */ const lastIds = new Map();
const wakeLock = new WakeLock();
let wanted = false;
let phase = "connecting";
let expiring = false; // the room said so in this session
let forSilence = false; // and that it was because nobody speaks

function show(next) {
  phase = next;
  document.body.dataset.state = next;
  status.textContent = text(expiring && session ? "expiring" : next);
  toggle.textContent = text(wanted ? "stop" : "listen");
  toggle.disabled = !wanted && !state?.live;
  wakeLock.hold(wanted);
}

function fillLanguages() {
  const before = select.value || recall("room-language", "") || navigator.language.slice(0, 2);
  select.replaceChildren(
    ...(state?.languages ?? []).map(({ language }) => {
      const name = languageName(language);
      return new Option(language === state.source ? text("original", { name }) : name, language);
    }),
  );
  const there = [...select.options].some((option) => option.value === before);
  if (there) select.value = before;
  else if (select.options.length > 1) select.selectedIndex = 1; // the original is the first
}

/** Look at the room until there is something to hear. */
async function watch() {
  for (;;) {
    if (!session) await look();
    await new Promise((wake) => setTimeout(wake, RETRY_MS));
  }
}

async function look() {
  const response = await ask(`v1/rooms/${room}`).catch(() => null);
  const known = JSON.stringify(state?.languages?.map((each) => each.language));
  state = response?.ok ? await response.json() : null;
  if (state && JSON.stringify(state.languages.map((each) => each.language)) !== known) fillLanguages();
  if (session) return;
  if (response?.status === 401 || response?.status === 403) show("refused");
  else if (!state?.live) show("waiting");
  else if (wanted) begin();
  else show("ready");
}

function begin() {
  wanted = true;
  expiring = false;
  if (captions.lang !== select.value) captions.replaceChildren();
  captions.lang = select.value;
  session = silent.checked ? read(select.value) : hear(select.value);
}

function end(next = "lost") {
  session?.stop();
  session = null;
  show(next);
}

function hear(language) {
  const stopped = new AbortController();
  const mine = { stop: () => stopped.abort() };
  const over = (next) => session === mine && end(next);
  const prepare = (peer) => {
    const lost = () => peer.connectionState !== "closed" && over("lost");
    peer.addTransceiver("audio", { direction: "recvonly" });
    peer.addEventListener("track", ({ track }) => {
      voice.srcObject = new MediaStream([track]);
      voice.play().catch(() => {}); // Listen was pressed, so the browser allows it
    });
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "connected") show("listening");
      else if (peer.connectionState === "failed") lost();
    });
    const channel = peer.createDataChannel("oai-events");
    channel.addEventListener("message", ({ data }) => caption(JSON.parse(data)));
    channel.addEventListener("close", lost);
  };
  show("connecting");
  connect(`whep/${room}?language=${language}`, prepare, stopped.signal).catch(({ status }) =>
    over(status === 503 ? "full" : "lost"),
  );
  return mine;
}

function read(language) {
  const abort = new AbortController();
  const mine = { stop: () => abort.abort() };
  const path = `v1/rooms/${room}/captions?language=${language}`;
  show("reading");
  (async () => {
    for await (const { id, data } of events(path, lastIds.get(language), abort.signal)) {
      if (session !== mine) return;
      caption(JSON.parse(data));
      lastIds.set(language, id);
    }
  })()
    .catch(() => {})
    .finally(() => session === mine && end("lost"));
  return mine;
}

/** One line for each segment; a later revision takes its place. */
function caption(event) {
  if (event.type === "x.expiring") {
    expiring = true;
    forSilence = event.reason === "idle";
    show(phase);
  }
  if (event.type !== "x.segment") return;
  if (forSilence) {
    expiring = forSilence = false; // somebody speaks again
    show(phase);
  }
  const id = `segment-${event.segment_id}`;
  const words = event.target.text;
  let line = document.getElementById(id);
  if (!words) {
    if (event.final) line?.remove();
    return;
  }
  if (!line) {
    line = Object.assign(document.createElement("p"), { id });
    captions.append(line);
    if (captions.children.length > KEPT) captions.firstElementChild.remove();
  }
  line.textContent = words;
  line.className = event.final ? "final" : "partial";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!wanted) return begin();
  wanted = false;
  end("ready");
});
for (const control of [select, silent]) {
  control.addEventListener("change", () => {
    remember("room-language", select.value);
    if (!session) return;
    session.stop();
    begin();
  });
}
addEventListener("pagehide", () => session?.stop());

document.querySelector("#room").textContent = room;
reachByKeyboard(captions);
followEnd(captions);
speakInterface(() => {
  fillLanguages();
  show(phase);
});
watch();
