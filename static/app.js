/** The page: joins settings, conversation, captions and controls. */
import { HeadphoneAdvice } from "./advice.js";
import { CaptionLog, showEarlier } from "./captions.js";
import { ClientError } from "./client/errors.js";
import { reachByKeyboard } from "./client/scrolling.js";
import { SourceError, missingFeature } from "./devices.js";
import { find } from "./dom.js";
import { forgetSegments, keepSegment, keptSegments } from "./kept.js";
import { offerKeeping } from "./keep.js";
import { settleHeader } from "./header.js";
import { offerInterface, renderTexts } from "./interface.js";
import { LanguagePair } from "./languages.js";
import { offerLook, offerOverlay } from "./look.js";
import { LevelMeter } from "./meter.js";
import { People } from "./people.js";
import { PhrasePanel, phraseItem } from "./phrases.js";
import { FilePlayer } from "./player.js";
import { recall, remember } from "./prefs.js";
import { ProblemBar } from "./problems.js";
import { fetchLanguages, fetchPhrases } from "./server.js";
import { Settings } from "./settings.js";
import { text } from "./i18n.js";
import { holdToTalk } from "./talk.js";
import { Transcript } from "./transcript.js";
import { write } from "./write.js";

const WARM_UP_POLL_MS = 1500;
const EXAMPLES = 4;
/** Of the server's warnings those that the page has words for. */
const WARNINGS = new Set(["engine_slow", "no_pause", "own_voice", "replay_incomplete", "slow_network"]);

/** @param {string} id */
const at = (id) => document.getElementById(id);
/** @param {string} id */
const button = (id) => find(`#${id}`, HTMLButtonElement);
/** @param {string} id */
const list = (id) => find(`#${id}`, HTMLSelectElement);
const captions = find("#captions", CaptionLog);
const meter = find("#meter", LevelMeter);
const outputMeter = find("#output-meter", LevelMeter);
const toggle = button("toggle");
const talk = button("talk");

const transcript = new Transcript();
/** What shows the captions: the log, and what else one opens. @type {Set<import("./captions.js").CaptionView>} */
const views = new Set([captions]);
const pair = new LanguagePair(list("source"), list("target"), button("swap"));
const phrases = new PhrasePanel(at("phrases"), button("open-phrases"), sayPhrase);
const problems = new ProblemBar(at("problem"));
const advice = new HeadphoneAdvice(at("advice"));
const player = new FilePlayer(at("player"));
const settings = new Settings(find("form#settings", HTMLFormElement), player);
const people = new People(button("people"), at("halves"), {
  views,
  segments: () => transcript.segments,
  start,
  changed: takeMode,
});

/** @type {import("./details.js").Details|null} there are none before the first session */
let details = null;
/** @type {import("./lag.js").Lag|null} likewise */
let lag = null;
/** @type {import("./output.js").Output|null} likewise */
let output = null;
/** @type {import("./wake.js").WakeLock|null} likewise */
let wakeLock = null;
/** @type {import("./server.js").Languages|null} */
let server = null;
/** @typedef {import("./conversation.js").Conversation} Conversation */
/** @type {Conversation|null} */
let conversation = null;
/** @typedef {import("./phrases.js").Phrase} Phrase */
/** What is to be spoken once there is a session. @type {Phrase|null} */
let tapped = null;
/** What an earlier visit left on this device, until it is shown or cleared. */
let earlier = keptSegments();
/** @type {string} a key of the strings' "state" */
let phase = "loading";
/** Segments that are being spoken or wait for it. */
const waiting = new Set();

// ---------------------------------------------------------------- what is shown

/** @param {string} next  a key of the strings' "state" */
function setPhase(next) {
  phase = next;
  const running = conversation !== null;
  const settling = running && !conversation.live;
  document.body.dataset.phase = next;
  document.body.toggleAttribute("data-running", running);
  write(at("status"), text(`state.${next}`));
  write(at("toggle-text"), text(!running ? "start" : next === "finishing" ? "stopNow" : "stop"));
  toggle.disabled = !server || missingFeature() !== null;
  wakeLock?.hold(running);
  (running ? addEventListener : removeEventListener)("beforeunload", askBeforeLeaving);
  pair.disabled = !server || settling;
  people.follow(conversation);
  showTalk();
  showInvitation();
}

function showTalk() {
  const wanted = Boolean(conversation?.live) && settings.hold && !people.active;
  if (wanted === !talk.hidden) return;
  if (!wanted) letGo();
  talk.hidden = !wanted;
  if (wanted && document.activeElement === toggle) talk.focus(); // it stands where that stood
}

/** A browser asks in its own words. Listened to only while needed: it costs the page's quick return. */
function askBeforeLeaving(event) {
  event.preventDefault();
}

function showInvitation() {
  at("invitation").hidden = !captions.empty;
  at("earlier").hidden = earlier.length === 0;
  at("invitation-title").textContent = text(conversation ? "inviteSpeak" : "inviteTitle");
}

function renderInterface() {
  renderTexts();
  document.title = text("title");
  if (server) {
    at("engines").textContent = text("engines", server);
    at("engines").title = text("enginesTitle", server);
    at("engine-set").textContent = text(server.engine_set ? "engineSet" : "ownEngines", {
      name: server.engine_set,
      ...server,
    });
    at("other-sets").hidden = server.engine_set !== "embedded";
  }
  for (const view of views) view.translateInterface();
  pair.render();
  phrases.render();
  problems.render();
  details?.render();
  lag?.render();
  player.render();
  settings.listDevices();
  setPhase(phase);
}

// ---------------------------------------------------------------- before a conversation

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
        problems.show(error.code, { detail: error.detail, retry: load });
        return;
      }
      setPhase("warming");
      await new Promise((wake) => setTimeout(wake, WARM_UP_POLL_MS));
    }
  }
  at("engines").hidden = false;
  const asked = Object.fromEntries(new URLSearchParams(location.search));
  pair.offer(server.pairs, { ...recall("pair", {}), ...asked });
  people.offer(server.pairs, pair.value);
  settings.offerModes(server.modes);
  phase = "idle";
  renderInterface();
  const lacking = missingFeature();
  if (lacking) problems.show(lacking);
  await showPhrases();
}

async function showPhrases() {
  const { source } = pair.value;
  const found = await fetchPhrases(source).catch(() => []); // the page works without them
  if (pair.value.source !== source) return;
  phrases.show(source, found);
  const examples = phrases.sample(EXAMPLES).map((phrase) => phraseItem(phrase, source, sayPhrase));
  at("examples").querySelector("ul").replaceChildren(...examples);
  at("examples").hidden = examples.length === 0;
}

// ---------------------------------------------------------------- a conversation

async function start() {
  if (conversation || phase === "opening") return;
  problems.hide();
  setPhase("opening");
  let session;
  try {
    // the page is there sooner without
    const [{ Conversation }, { Details }, { Lag }, { Output }, { WakeLock }] = await Promise.all([
      import("./conversation.js"),
      import("./details.js"),
      import("./lag.js"),
      import("./output.js"),
      import("./wake.js"),
      import("./audio.js"),
    ]);
    details ??= new Details(find("#details", HTMLDetailsElement));
    lag ??= new Lag(at("lag"));
    output ??= makeOutput(Output);
    wakeLock ??= new WakeLock();
    session = conversation = new Conversation();
    if (tapped) session.speak(tapped.text);
    tapped = null;
  } catch {
    setPhase("offline");
    report(new ClientError("server_unreachable"));
    return;
  }
  follow(session);
  /** @type {"closed"|"offline"} */ let next = "closed";
  try {
    const keepSpeech = people.active || !settings.hold; // else only what one presses for counts
    await session.run(settings.openSource, sessionSettings(), { keepSpeech });
  } catch (error) {
    if (conversation === session) report(error);
    next = "offline";
  }
  if (conversation === session) finish(next);
}

/** @param {typeof import("./output.js").Output} Output */
function makeOutput(Output) {
  const made = new Output(find("#output", HTMLAudioElement), find("#local", HTMLAudioElement));
  made.addEventListener("change", showSound);
  made.addEventListener("level", (/** @type {CustomEvent} */ { detail }) => outputMeter.push(detail.rms));
  settings.output = made;
  return made;
}

/** Who set the sound on an earlier visit has it so from the first moment; others get it with a session. */
async function restoreSound() {
  if (!recall("settings", null)) return;
  const { Output } = await import("./output.js");
  output ??= makeOutput(Output);
}

/** Have a phrase spoken that was tapped; without a session in one that begins. @param {Phrase} phrase */
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
  output.stop();
  settings.source = null;
  meter.reset();
  meter.removeAttribute("data-clipping");
  outputMeter.reset();
  advice.hide();
  for (const view of views) view.settle();
  waiting.clear();
  showSound();
  write(at("hint"), "");
  setPhase(next);
}

async function stop() {
  const opening = phase === "opening"; // the browser is still asking for the microphone
  const stopped = conversation.stop();
  if (opening) finish("closed");
  await stopped;
}

function report(error) {
  if (!(error instanceof ClientError || error instanceof SourceError)) throw error;
  const retry = error.code === "webrtc_missing" ? null : start;
  const detail = error instanceof ClientError ? error.detail : "";
  problems.show(error.code, { detail, retry });
}

/** Show what a conversation says. @param {Conversation} session */
function follow(session) {
  const on = (type, show) =>
    session.addEventListener(type, (/** @type {CustomEvent} */ { detail }) => {
      if (conversation === session) show(detail);
    });
  on("phase", (detail) => setPhase(detail.phase));
  on("level", ({ rms }) => meter.push(rms));
  on("hearing", ({ nothing }) => write(at("hint"), nothing ? text("nothingHeard") : ""));
  on("clipping", ({ clipping }) => {
    meter.toggleAttribute("data-clipping", clipping);
    write(at("hint"), clipping ? text("tooLoud") : "");
  });
  on("stream", ({ stream }) => play(stream));
  on("expiring", ({ in_ms: inMs, reason }) => {
    if (inMs && reason !== "restart") problems.show(reason === "idle" ? "expiring_idle" : "expiring");
  });
  on("notice", ({ code, message }) => {
    const retry = code === "no_pause" && settings.mayHold ? () => settings.holdToTalk() : null;
    if (WARNINGS.has(code)) problems.show(code, { retry });
    else if (!code?.startsWith("engine_")) problems.show("notice", { detail: message }); // its caption says so
  });
  on("mode", ({ mode }) => (lag.mode = mode));
  on("metrics", (metrics) => {
    details.take(metrics);
    lag.take(metrics);
  });
  on("segment", (event) => {
    problems.hide("expiring_idle"); // somebody speaks again
    if (event.final) problems.hide("engine_slow");
    const segment = transcript.apply(event, new Date());
    if (!segment) return;
    if (segment.status === "final") {
      keepSegment(segment);
      phrases.fold(); // who was understood knows what to say
    }
    for (const view of views) view.show(segment);
    showInvitation();
  });
  on("playout", (event) => {
    const { key, state } = event;
    if (state === "skipped") {
      for (const view of views) view.showSkipped(key, event.skipped);
      return;
    }
    for (const view of views) view.showPlayout(key, state);
    output.playout(event);
    if (state === "started") problems.hide("engine_slow");
    if (state === "queued" || state === "started") waiting.add(key);
    else waiting.delete(key);
    showSound();
  });
  on("renewed", () => {
    for (const view of views) view.settle();
    waiting.clear();
    showSound();
  });
  on("source", ({ source }) => {
    settings.source = source;
    underlay();
    advise();
  });
  on("source-ended", ({ kind }) => replaceSource(session, kind));
  details.follow(session);
}

/** @param {MediaStream} stream */
async function play(stream) {
  try {
    await output.play(stream);
  } catch (error) {
    if (error.name !== "NotAllowedError") return; // the session ended before it began
    problems.show("playback_blocked", { retry: () => play(stream) });
  }
}

/** Play the original under the translation, where that is wanted. */
function underlay() {
  output?.underlay(settings.underlay ? settings.source.track : null);
}

/** Loudspeakers are a matter only of an open microphone. */
function advise() {
  if (settings.source?.kind === "microphone") advice.consider(settings.speakerName);
  else advice.hide();
}

/** A source went away by itself: another microphone may do. */
async function replaceSource(session, kind) {
  try {
    if (kind !== "microphone" || !session.live) throw new SourceError("source_ended");
    await session.changeSource(settings.openSource);
    problems.show("microphone_gone");
  } catch {
    problems.show("source_ended", { retry: start });
    session.stop();
  }
}

function showSound() {
  button("hush").disabled = waiting.size === 0 && !output?.replaying;
  button("replay").disabled = !output?.replayable;
}

// ---------------------------------------------------------------- controls

const letGo = holdToTalk(talk, (pressed) => conversation?.talk(pressed));
toggle.addEventListener("click", () => (conversation ? stop() : start()));
at("hush").addEventListener("click", () => {
  output?.stopReplay();
  conversation?.clear();
});
at("replay").addEventListener("click", () => output?.replay());
player.addEventListener("ended", () => conversation?.commit());
player.addEventListener("chosen", async () => {
  if (conversation) return; // which tries it at once
  problems.hide();
  await player.source.load().catch(({ code }) => problems.show(code));
});
pair.addEventListener("change", () => {
  remember("pair", pair.value);
  const { source, target } = pair.value;
  if (conversation?.live) conversation.update({ source_language: source, target_language: target });
  showPhrases();
});
settings.addEventListener("vad", () => {
  if (conversation?.live) conversation.update({ vad: sessionSettings().vad });
  showTalk();
});
settings.addEventListener("mode", () => {
  if (conversation?.live) conversation.update(settings.mode);
});
settings.addEventListener("underlay", underlay);
settings.addEventListener("devices", advise);
settings.addEventListener("speaker-gone", () => problems.show("speaker_gone"));
settings.addEventListener("input", async () => {
  if (!conversation?.live) return;
  try {
    await conversation.changeSource(settings.openSource);
  } catch (error) {
    problems.show(error.code); // and the conversation goes on with what it had
  }
});
settleHeader(at("interface-field"), at("people"), at("settings-title"));
offerLook(at("look"));
offerOverlay(
  button("overlay"),
  views,
  () => transcript.segments,
  () => problems.show("popup_blocked"),
);
offerKeeping(
  at("export"),
  () => transcript.understood,
  () => {
    transcript.clear();
    earlier = [];
    forgetSegments();
    for (const view of views) view.clear();
    showInvitation();
  },
);
at("show-earlier").addEventListener("click", () => {
  transcript.restore(earlier);
  for (const view of views) showEarlier(view, earlier);
  earlier = [];
  showInvitation();
});
addEventListener("pagehide", () => conversation?.abandon());

reachByKeyboard(at("invitation"));
find("#room-link", HTMLAnchorElement).href = `rooms/room-${Math.random().toString(36).slice(2, 6)}`; // nobody else's
offerInterface(list("interface"), renderInterface);
renderInterface();
load();
restoreSound().catch(() => {}); // then with a session
