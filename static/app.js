/** The page: joins settings, conversation, captions and controls. */
import { CaptionLog } from "./captions.js";
import { ClientError } from "./client/errors.js";
import { reachByKeyboard } from "./client/scrolling.js";
import { SourceError, missingFeature } from "./devices.js";
import { find } from "./dom.js";
import { renderEngines } from "./engines.js";
import { withLoaded } from "./loading.js";
import { settleHeader } from "./header.js";
import { offerInterface, renderTexts } from "./interface.js";
import { LanguagePair } from "./languages.js";
import { offerLook, offerOverlay } from "./look.js";
import { People } from "./people.js";
import { PhrasePanel, phraseItem } from "./phrases.js";
import { FilePlayer } from "./player.js";
import { recall, remember } from "./prefs.js";
import { ProblemBar } from "./problems.js";
import { problemOf } from "./refusals.js";
import { Said } from "./said.js";
import { fetchLanguages, fetchPhrases } from "./server.js";
import { Settings } from "./settings.js";
import { text, useWords } from "./i18n.js";
import { write } from "./write.js";

const [WARM_UP_POLL_MS, EXAMPLES] = [1500, 4];

/** @param {string} id */
const at = (id) => document.getElementById(id);
/** @param {string} id */
const button = (id) => find(`#${id}`, HTMLButtonElement);
/** @param {string} id */
const list = (id) => find(`#${id}`, HTMLSelectElement);
const toggle = button("toggle");
const talk = button("talk");

const pair = new LanguagePair(list("source"), list("target"), button("swap"));
const phrases = new PhrasePanel(at("phrases"), button("open-phrases"), sayPhrase);
const problems = new ProblemBar(at("problem"));
const said = new Said(find("#captions", CaptionLog));
const player = new FilePlayer(at("player"));
const settings = new Settings(find("form#settings", HTMLFormElement), player);
const people = new People(button("people"), at("halves"), {
  views: said.views,
  segments: () => said.segments,
  start,
  changed: takeMode,
});

// None of these before the first session.
/** @type {import("./advice.js").HeadphoneAdvice|null} */ let advice = null;
/** @type {import("./details.js").Details|null} */ let details = null;
/** @type {import("./lag.js").Lag|null} */ let lag = null;
/** @type {import("./sound.js").Sound|null} */ let sound = null;
/** @type {import("./wake.js").WakeLock|null} */ let wakeLock = null;
/** Ends push-to-talk. @type {(() => void)|null} */ let letGo = null;
/** Takes back what only a running session shows. */ let unfollow = () => {};

/** @type {import("./server.js").Languages|null} */ let server = null;
/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @type {Conversation|null} */
let conversation = null;
/** Spoken once there is a session. @type {import("./phrases.js").Phrase|null} */
let tapped = null;
/** @type {string} a key of the strings' "state" */ let phase = "loading";
let phaseValues = {};

/** @param {string} next  a key of the strings' "state"  @param {object} [values]  of that text */
function setPhase(next, values = {}) {
  phase = next;
  phaseValues = values;
  const running = conversation !== null;
  document.body.dataset.phase = next;
  document.body.toggleAttribute("data-running", running);
  write(at("status"), text(`state.${next}`, values));
  write(at("toggle-text"), text(!running ? "start" : next === "finishing" ? "stopNow" : "stop"));
  toggle.disabled = !server || missingFeature() !== null;
  wakeLock?.hold(running);
  (running ? addEventListener : removeEventListener)("beforeunload", askBeforeLeaving);
  pair.disabled = !server;
  people.follow(conversation);
  showTalk();
  said.invite(running);
}

function showTalk() {
  const wanted = Boolean(conversation?.live) && settings.hold && !people.active;
  if (wanted === !talk.hidden) return;
  if (!wanted) letGo?.();
  talk.hidden = !wanted;
  if (wanted && document.activeElement === toggle) talk.focus(); // it stands where that stood
}

/** A browser asks in its own words. Listened to only while needed: it costs the page's quick return. */
function askBeforeLeaving(event) {
  event.preventDefault();
}

function renderInterface() {
  renderTexts();
  document.title = text("title");
  if (server) renderEngines(server);
  said.translateInterface();
  pair.render();
  phrases.render();
  problems.render();
  details?.render();
  lag?.render();
  player.render();
  settings.listDevices();
  setPhase(phase, phaseValues);
}

/** Learn what the server can do; wait while it warms up. */
async function load() {
  problems.hide();
  setPhase("loading");
  while (!server) {
    try {
      server = await fetchLanguages();
    } catch (error) {
      if (error.code !== "server_busy") {
        setPhase("offline");
        problems.show(problemOf(error), { detail: error.detail, retry: load });
        return;
      }
      setPhase("warming");
      await new Promise((wake) => setTimeout(wake, WARM_UP_POLL_MS));
    }
  }
  const asked = Object.fromEntries(new URLSearchParams(location.search));
  pair.offer(server.pairs, { ...recall("pair", {}), ...asked });
  people.offer(server.pairs, asked.source ? pair.value : recall("sides", pair.value));
  settings.offerModes(server.modes);
  phase = "idle";
  renderInterface();
  const lacking = missingFeature();
  if (lacking) problems.show(lacking);
  await showPhrases();
}

async function showPhrases() {
  const { source } = pair.value;
  const found = await fetchPhrases(source).catch(() => []); // it works without
  if (pair.value.source !== source) return;
  phrases.show(source, found);
  const examples = phrases.sample(EXAMPLES).map((phrase) => phraseItem(phrase, source, sayPhrase));
  at("examples").querySelector("ul").replaceChildren(...examples);
  at("examples").hidden = !examples.length;
}

async function start() {
  if (conversation || phase === "opening") return;
  problems.hide();
  setPhase("opening");
  let parts;
  try {
    parts = await loadParts();
  } catch {
    setPhase("offline");
    return report(new ClientError("server_unreachable"));
  }
  advice ??= new parts.HeadphoneAdvice(at("advice"));
  letGo ??= parts.holdToTalk(talk, (pressed) => conversation?.talk(pressed));
  details ??= new parts.Details(find("#details", HTMLDetailsElement));
  lag ??= new parts.Lag(at("lag"));
  wakeLock ??= new parts.WakeLock();
  const session = (conversation = new parts.Conversation());
  if (tapped) session.speak(tapped.text);
  tapped = null;
  const current = () => conversation === session;
  const shown = { details, lag, phrases, problems, said, settings, sound };
  unfollow = parts.follow(session, { ...shown, current, setPhase, advise, start });
  /** @type {"closed"|"offline"} */ let next = "closed";
  try {
    const keepSpeech = people.active || !settings.hold; // else only what one presses for counts
    await session.run(settings.openSource, sessionSettings(), { keepSpeech });
  } catch (error) {
    next = "offline";
    if (conversation === session) report(error);
  } finally {
    if (conversation === session) finish(next); // also when `report` does not know the error
  }
}

/** What a session needs besides, and the sound as it was set. */
async function loadParts() {
  const [parts] = await Promise.all([import("./session-parts.js"), useWords("session")]);
  sound ??= new parts.Sound(settings, problems, () => conversation?.clear());
  return parts;
}

/** Have a phrase spoken that was tapped; without one when it begins. @param {import("./phrases.js").Phrase} phrase */
function sayPhrase(phrase) {
  if (conversation) return conversation.speak(phrase.text);
  tapped = phrase;
  start();
}

/** What the session is to do. @returns {import("./client.js").SessionSettings} */
function sessionSettings() {
  return people.active ? people.settings : { ...pair.value, vad: settings.vad, ...settings.mode };
}

/** A running session follows when two people take over from one speaker, or the reverse. */
function takeMode() {
  showTalk();
  if (!conversation) return;
  const { source, target, vad } = sessionSettings();
  conversation.update({ source_language: source, target_language: target, vad });
}

/** @param {"closed"|"offline"} next */
function finish(next) {
  conversation = null;
  details.stop();
  lag.mode = undefined;
  sound.stop();
  settings.source = null;
  advice.hide();
  said.settle();
  unfollow();
  setPhase(next);
}

async function stop() {
  const opening = phase === "opening"; // the browser is still asking for the microphone
  const stopped = conversation.stop();
  if (opening) finish("closed");
  await stopped;
}

function report(error, again = start) {
  if (!(error instanceof ClientError || error instanceof SourceError)) {
    throw new Error(error.message, { cause: error }); // absent.js tells of it: a DOMException has no stack
  }
  const retry = error.code === "webrtc_missing" ? null : again;
  const { detail = "", retryAfterMs = 0 } = error instanceof ClientError ? error : {};
  problems.show(problemOf(error), { detail, waitMs: retryAfterMs, retry });
}

function advise() {
  advice?.consider(settings.source, settings.speakerName);
}

toggle.addEventListener("click", () => (conversation ? stop() : start()));
player.addEventListener("ended", () => conversation?.commit());
player.addEventListener("chosen", async () => {
  if (conversation) return; // which tries it at once
  problems.hide();
  await player.source.load().catch(({ code }) => problems.show(code));
});
pair.addEventListener("change", () => {
  remember("pair", pair.value);
  const { source, target } = pair.value;
  conversation?.update({ source_language: source, target_language: target });
  showPhrases();
});
settings.addEventListener("vad", () => {
  conversation?.update({ vad: sessionSettings().vad });
  showTalk();
});
settings.addEventListener("mode", () => {
  conversation?.update(settings.mode);
});
settings.addEventListener("underlay", () => sound?.underlay());
settings.addEventListener("devices", advise);
settings.addEventListener("speaker-gone", () => problems.show("speaker_gone"));
const listen = () => conversation?.changeSource(settings.openSource).catch((error) => report(error, again));
const again = () => (start(), listen()); // by then it may be over
settings.addEventListener("input", listen);
settleHeader(at("interface-field"), at("people"), at("settings-title"));
offerLook(at("look"));
const blocked = () => problems.show("popup_blocked");
offerOverlay(button("overlay"), said.views, () => said.segments, blocked);
let keeps = false;
const keep = ({ offerKeeping }) => keeps || ((keeps = true), offerKeeping(at("export"), said));
at("export").addEventListener("beforetoggle", ({ newState }) => {
  if (newState === "open" && !keeps) withLoaded(() => import("./keep.js"), keep);
});
addEventListener("pagehide", () => conversation?.abandon());

reachByKeyboard(at("invitation"));
find("#room-link", HTMLAnchorElement).href = `rooms/room-${Math.random().toString(36).slice(2, 6)}`; // nobody else's
offerInterface(list("interface"), renderInterface);
renderInterface();
load();
// Who set the sound before has it so from the first moment, and the modules in the cache.
if (recall("settings", null)) loadParts().catch(() => {}); // then with a session
