/** The speaker's page of a room: the link for the others, who listens, and a microphone. */
import { openMicrophone } from "./audio.js";
import { listDevices } from "./devices.js";
import { find } from "./dom.js";
import { copyText } from "./copy.js";
import { EarlySpeech } from "./early-speech.js";
import { offerInterface, renderTexts } from "./interface.js";
import { fillSelect } from "./languages.js";
import { ListenLog } from "./listen-log.js";
import { recall, remember } from "./prefs.js";
import { hurry, insist } from "./room-patience.js";
import { room, roomName, useKey } from "./room-access.js";
import { measure } from "./room-level.js";
import { speakerRefusals } from "./room-refusals.js";
import { interfaceLanguage, languageName, text, useWords } from "./i18n.js";
import { Transcript } from "./transcript.js";
import { WakeLock } from "./wake.js";
import { write } from "./write.js";

await useWords("room");

const LOOK_MS = 3000;
const EXPIRING_MS = 60_000;
const COPIED_MS = 1500;
/** States of which the page for tests tells more. */
const TESTABLE = new Set(["noMicrophone", "microphoneGone", "gaveUp"]);
/** States in which one is heard. */
const HEARD = new Set(["speaking", "replaced", "notReplaced"]);
const LOOPBACK = /^(localhost|127\.|\[::1\]$)/;
const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
const keyForm = find("#key-form", HTMLFormElement);
const keyField = find("#key", HTMLInputElement);
const form = find("#speaking", HTMLFormElement);
const source = find("#source", HTMLSelectElement);
const microphone = find("#microphone", HTMLSelectElement);
const toggle = find("#toggle", HTMLButtonElement);
const status = find("#status", HTMLElement);
const languages = find("#languages", HTMLElement);
const captions = find("#captions", ListenLog);
const link = find("#link", HTMLAnchorElement);

const wakeLock = new WakeLock();
let phase = "silent";
/** @type {{language: string, listeners: number}[]} */ let counts = [];
/** @type {string[]} */ let sources = [];
/** @type {{stop: () => void, change: () => void}|null} */ let speaking = null;
/** Whether this page itself reads the room, and is no listener. */ let reading = false;

/** @param {string} next  a key of the words  @param {string} [sentence]  better ones, of the server */
function show(next, sentence = "") {
  phase = next;
  const known = interfaceLanguage() === "en" ? sentence : ""; // the server's own are English
  write(status, known || text(`room.${next}`));
  document.body.toggleAttribute("data-running", speaking !== null);
  write(find("#toggle-text", HTMLElement), text(speaking ? "stop" : "room.speak"));
  toggle.disabled = !sources.length;
  find("#doctor-link", HTMLElement).hidden = !TESTABLE.has(next);
  source.disabled = speaking !== null; // a room has one language for as long as it is spoken into
  wakeLock.hold(speaking !== null);
}

/** What to say of a refusal. @param {Partial<import("./client/errors.js").ClientError>} error */
function wordsFor({ reason }) {
  return speakerRefusals[reason] ?? "notLetIn";
}

/** The link and the languages, once the server lets us in. */
async function enter() {
  let invitation, known;
  try {
    invitation = await insist(() => room.invite(), show);
    known = await insist(() => room.languages(), show);
  } catch (error) {
    const keyed = error.status === 401;
    keyForm.hidden = !keyed;
    show(keyed && keyField.value ? "keyWrong" : wordsFor(error), keyed ? "" : error.detail);
    if (!keyed) return;
    keyField.focus();
    return keyField.select();
  }
  link.href = link.textContent = invitation.url;
  for (const id of ["#qr", "#qr-too"]) {
    find(id, HTMLImageElement).src = `data:image/svg+xml,${encodeURIComponent(invitation.qr_svg)}`;
  }
  find("#loopback", HTMLElement).hidden = !LOOPBACK.test(new URL(invitation.url).hostname);
  find("#invitation", HTMLElement).hidden = false;
  sources = [...new Set(known.pairs.map((pair) => pair.source))];
  const usual = known.default.source;
  fillSelect(source, sources, sources.includes(usual) ? usual : sources[0]);
  show("silent");
  keyForm.hidden = true; // now, as the focus goes from there to a button that can be pressed
  watch();
}

function showCounts() {
  const rows = counts.map(({ language, listeners: count }) => {
    const textContent = text("room.languageCount", { name: languageName(language), count });
    return Object.assign(document.createElement("li"), { textContent });
  });
  languages.replaceChildren(...rows);
}

async function watch() {
  for (;;) {
    const nothing = { listeners: 0, languages: [], source: "", expires_in_ms: Infinity };
    const state = await room.state().catch(() => nothing);
    const own = reading ? 1 : 0;
    // This page reads, too, and may do so before the server has counted it.
    const others = (/** @type {number} */ listeners, /** @type {boolean} */ here) =>
      Math.max(0, listeners - (here ? own : 0));
    counts = state.languages.map((each) => ({
      ...each,
      listeners: others(each.listeners, each.language === state.source),
    }));
    write(find("#count", HTMLElement), String(others(state.listeners, true)));
    showCounts();
    if (HEARD.has(phase)) {
      const expiring = (state.expires_in_ms ?? Infinity) <= EXPIRING_MS;
      write(status, text(`room.${expiring ? "expiring" : phase}`)); // speech may call it off
    }
    await pause(LOOK_MS);
  }
}

/** Be heard until Stop or a refusal, again after each loss. */
async function speak() {
  const stopped = new AbortController();
  const mine = { stop: () => stopped.abort(), change: () => (mine.stop(), speak()) };
  const over = (next, sentence = "") => {
    if (speaking !== mine) return;
    mine.stop();
    speaking = null;
    show(next, sentence);
  };
  speaking = mine;
  show("connecting");
  const early = new EarlySpeech();
  /** @type {MediaStreamTrack|undefined} */ let track;
  /** @type {import("./client/room-call.js").RoomCall|null} */ let call = null;
  let [metering, proof] = [new AbortController(), new AbortController()];
  stopped.signal.addEventListener("abort", () => {
    early.close();
    proof.abort();
    call?.stop();
    metering.abort();
    track?.stop();
  });
  let [newest, used] = [Symbol(), ""];
  /** Open what is chosen; without any, it is over. Resolves with whether it counts: not where another was since. */
  const open = async (failure) => {
    const choice = (newest = Symbol());
    const wanted = microphone.value;
    const opened = await openMicrophone(wanted).catch(() => null);
    if (stopped.signal.aborted || choice !== newest) {
      opened?.track.stop();
      return false;
    }
    if (!opened) {
      if (track?.readyState !== "live") return over(failure);
      remember("room-microphone", used); // it goes on
      listMicrophones();
      if (call?.state === "live") show("notReplaced");
      return false;
    }
    used = wanted;
    track?.stop();
    track = opened.track;
    track.addEventListener("ended", () => replace("microphoneGone"));
    metering.abort();
    measure(track, (metering = new AbortController()).signal);
    listMicrophones(); // only now does the browser tell their names
    return true;
  };
  const replace = async (failure) => {
    if (!(await open(failure))) return;
    await call?.replaceTrack(track);
    const gone = failure === "microphoneGone" && track.getSettings().deviceId !== used;
    if (call?.state === "live") show(gone ? "replaced" : "speaking");
  };
  if (!(await open("noMicrophone"))) return;
  await early.prepared();
  if (stopped.signal.aborted) return;
  mine.change = () => replace("noMicrophone");
  call = room.speak(early.listen(track), { source: source.value });
  call.addEventListener("state", (/** @type {CustomEvent} */ { detail: { state, error } }) => {
    proof.abort();
    if (state === "reconnecting") {
      early.forget(); // the page says that one is not heard
      show(error.retryAfterMs ? "busy" : "lost");
    }
    if (state === "closed") over(error.status ? wordsFor(error) : "gaveUp", error.detail);
    if (state !== "live") return;
    early.catchUp(() => call.replaceTrack(track));
    show("speaking");
    const { signal } = (proof = new AbortController());
    prove(signal).then(() => signal.aborted || call.renew());
  });
}

/**
 * Show what the listeners of the original read: the proof that one is heard. Returns when the room is over: its
 * connection may go on for half a minute without telling.
 *
 * @param {AbortSignal} signal
 */
async function prove(signal) {
  const transcript = new Transcript();
  find("#proof", HTMLElement).hidden = false;
  captions.clear();
  let lastId;
  while (!signal.aborted) {
    reading = true;
    try {
      for await (const { id, event } of room.captions(source.value, { lastId, signal })) {
        lastId = id;
        if (event.type !== "x.segment") continue;
        const segment = transcript.apply({ ...event, key: event.segment_id }, new Date());
        if (segment) captions.show(segment);
      }
    } catch {
      // a full room has no place for it
    }
    reading = false;
    const there = await room.state().catch((error) => ({ live: error.status !== 404 }));
    if (!there.live) return;
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
  speaking?.change();
});
const copy = find("#copy", HTMLButtonElement);
copy.addEventListener("click", async () => {
  await copyText(link.href);
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
/** A try with a typed key that has no answer yet. @type {Promise<void>|null} */ let entering = null;
keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(keyField.value); // which a try that is under way takes, too
  show("connecting"); // so that a second refusal is said again
  hurry();
  entering ??= enter().finally(() => (entering = null));
});
addEventListener("pagehide", () => speaking?.stop());

find("#room", HTMLElement).textContent = roomName;
function renderInterface() {
  renderTexts();
  document.title = `${text("room.room")} ${roomName} – ${text("title")}`;
  if (sources.length) fillSelect(source, sources, source.value);
  captions.translateInterface();
  listMicrophones();
  showCounts();
  show(phase);
}
offerInterface(find("#interface", HTMLSelectElement), renderInterface);
renderInterface();
enter();
