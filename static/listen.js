/** A listener's page: pick a language, hear it, read it. No microphone. */
import { reachByKeyboard } from "./client/scrolling.js";
import { find } from "./dom.js";
import { offerInterface, renderTexts } from "./interface.js";
import { ListenLog } from "./listen-log.js";
import { recall, remember } from "./prefs.js";
import { room, roomName } from "./room-access.js";
import { listenerRefusals } from "./room-refusals.js";
import { languageName, text, useWords } from "./i18n.js";
import { Transcript } from "./transcript.js";
import { WakeLock } from "./wake.js";
import { write } from "./write.js";

await useWords("room");

const RETRY_MS = 3000;
const SIZES = [1, 1.25, 1.6, 2, 2.6]; // times the usual one
const form = find("#choice", HTMLFormElement);
const languages = find("#languages", HTMLElement);
const silent = find("#silent", HTMLInputElement);
const toggle = find("#toggle", HTMLButtonElement);
const status = find("#status", HTMLElement);
const captions = find("#captions", ListenLog);
const voice = find("#voice", HTMLAudioElement);
const fold = find("#fold", HTMLElement);

/** @type {{source: string, languages: {language: string}[], live: boolean}|null} */
let state = null;
/** What is to be stopped, once somebody pressed Listen. @type {{stop: () => void}|null} */ let session = null;
/** Of the last caption read, by language. @type {Map<string, string>} */ const lastIds = new Map();
const transcript = new Transcript();
const wakeLock = new WakeLock();
let language = recall("room-language", "") || navigator.language.slice(0, 2);
let size = recall("room-size", 0);
let wanted = false;
let phase = "connecting";
let expiring = false; // the room said so in this session
let forSilence = false; // and that it was because nobody speaks
/** Of the segment being spoken. */ let heard = "";
/** When the server may be asked again, by `performance.now()`. */ let notBefore = 0;

function show(next) {
  phase = next;
  document.body.dataset.state = next;
  document.body.toggleAttribute("data-running", wanted);
  const words = next === "waiting" && !wanted ? "early" : next;
  write(status, text(`room.${expiring && session ? "expiring" : words}`));
  write(find("#toggle-text", HTMLElement), text(wanted ? "stop" : "room.listen"));
  toggle.disabled = !wanted && !state?.live && next !== "waiting";
  wakeLock.hold(wanted);
  if (!session) pulse("");
  invite();
}

/** Before the first caption the room for them says what goes on. */
function invite() {
  const invitation = find("#invitation", HTMLElement);
  invitation.hidden = !captions.empty;
  write(invitation, status.textContent);
}

/** Somebody speaks, though there is no text yet. @param {string} segment  its id, or "" */
function pulse(segment) {
  heard = segment;
  find("#pulse", HTMLElement).hidden = !segment;
}

function showLanguages() {
  const codes = (state?.languages ?? []).map((each) => each.language);
  if (codes.length && !codes.includes(language)) language = codes[1] ?? codes[0]; // the original is the first
  const chips = codes.map((code) => {
    const radio = Object.assign(document.createElement("input"), {
      type: "radio",
      name: "language",
      value: code,
      checked: code === language,
    });
    const name = languageName(code);
    const label = document.createElement("label");
    label.append(radio, code === state.source ? text("room.original", { name }) : name);
    return label;
  });
  const focused = languages.contains(document.activeElement);
  languages.replaceChildren(languages.querySelector("legend"), ...chips);
  if (focused) find("input:checked", HTMLInputElement, languages).focus();
}

/** Look at the room until there is something to hear. */
async function watch() {
  for (;;) {
    if (!session && performance.now() >= notBefore) await look();
    await new Promise((wake) => setTimeout(wake, RETRY_MS));
  }
}

async function look() {
  const known = JSON.stringify(state?.languages?.map((each) => each.language));
  let refusal = null;
  try {
    state = await room.state();
  } catch (error) {
    if (!session) state = null; // else Stop goes back to what is known
    refusal = wordsFor(error);
    heed(error);
  }
  if (state && JSON.stringify(state.languages.map((each) => each.language)) !== known) showLanguages();
  if (session) return;
  if (refusal) show(refusal);
  else if (!state.live) show("waiting");
  else if (wanted) {
    const controls = find("#controls", HTMLElement);
    if (phase === "waiting" && !controls.contains(document.activeElement)) openControls(false);
    begin();
  } else show("ready");
}

/** What to say of a failure. @param {Partial<import("./client/errors.js").ClientError>} error */
function wordsFor({ reason, status: answer }) {
  const refused = answer === 401 || answer === 403;
  return listenerRefusals[reason] ?? (refused ? "refused" : "lost");
}

/** @param {Partial<import("./client/errors.js").ClientError>} error */
function heed({ retryAfterMs = 0 }) {
  notBefore = performance.now() + retryAfterMs;
}

function begin() {
  expiring = false;
  if (captions.lang !== language) {
    captions.clear();
    transcript.clear();
  }
  captions.lang = language;
  session = silent.checked ? read() : hear();
}

function end(next = "lost") {
  session?.stop();
  session = null;
  show(next);
}

function hear() {
  const call = room.listen(language);
  const on = (type, act) =>
    call.addEventListener(type, (/** @type {CustomEvent} */ { detail }) => {
      if (session === call) act(detail);
    });
  on("track", ({ track }) => {
    voice.srcObject = new MediaStream([track]);
    voice.play().catch(() => {}); // Listen was pressed, so the browser allows it
  });
  on("message", ({ event }) => take(event));
  on("state", (now) => {
    if (now.state === "live") return show("listening");
    heed(now.error);
    end(wordsFor(now.error));
  });
  show("connecting");
  return call;
}

function read() {
  const abort = new AbortController();
  const mine = { stop: () => abort.abort() };
  const chosen = language;
  show("reading");
  (async () => {
    const how = { lastId: lastIds.get(chosen), signal: abort.signal };
    for await (const { id, event } of room.captions(chosen, how)) {
      if (session !== mine) return;
      take(event);
      lastIds.set(chosen, id);
    }
  })()
    .then(
      () => "lost",
      (error) => {
        heed(error);
        return wordsFor(error);
      },
    )
    .then((next) => session === mine && end(next));
  return mine;
}

function take(event) {
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
  if (!event.final) pulse(event.segment_id);
  else if (event.segment_id === heard) pulse("");
  const segment = transcript.apply({ ...event, key: event.segment_id }, new Date());
  if (segment?.target.text || event.final) segment && captions.show(segment);
  invite();
}

/** @param {boolean} open */
function openControls(open) {
  fold.setAttribute("aria-expanded", String(open));
  find("#controls", HTMLElement).hidden = !open;
}

function resize(by) {
  size = Math.max(0, Math.min(SIZES.length - 1, size + by));
  document.documentElement.style.setProperty("--times", String(SIZES[size]));
  find("#smaller", HTMLButtonElement).disabled = size === 0;
  find("#larger", HTMLButtonElement).disabled = size === SIZES.length - 1;
  remember("room-size", size);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const live = Boolean(state?.live);
  openControls(wanted || !live); // while one listens, all the room is for the captions
  wanted = !wanted;
  if (!wanted) return end(live ? "ready" : phase);
  if (live) return begin();
  voice.play().catch(() => {}); // no sound yet, but by this press the browser allows what comes later
  show("waiting");
});
form.addEventListener("change", (event) => {
  const target = /** @type {HTMLInputElement} */ (event.target);
  if (target.name === "language") remember("room-language", (language = target.value));
  else if (target !== silent) return;
  if (!session) return;
  session.stop();
  begin();
});
fold.addEventListener("click", () => openControls(fold.getAttribute("aria-expanded") === "false"));
document.querySelector("#smaller").addEventListener("click", () => resize(-1));
document.querySelector("#larger").addEventListener("click", () => resize(1));
addEventListener("pagehide", () => session?.stop());

function renderInterface() {
  renderTexts();
  document.title = `${text("room.room")} ${roomName} – ${text("title")}`;
  captions.translateInterface();
  showLanguages();
  show(phase);
}

find("#room", HTMLElement).textContent = roomName;
resize(0);
pulse("");
reachByKeyboard(languages);
offerInterface(find("#interface", HTMLSelectElement), renderInterface);
renderInterface();
watch();
