/** The page: joins microphone, session, captions and controls. Nothing else touches the DOM tree. */
import { missingFeature, openMicrophone, watchLevel } from "./audio.js";
import "./captions.js";
import { ClientError, TranslationClient } from "./client.js";
import "./meter.js";
import { PhrasePanel, phraseItem } from "./phrases.js";
import { recall, remember } from "./prefs.js";
import { fetchLanguages, fetchPhrases } from "./server.js";
import { interfaceLanguages, languageName, speakInterface, text } from "./strings.js";
import { Transcript } from "./transcript.js";

const DEFAULT_PAIR = { source: "ru", target: "en" };
const WARM_UP_POLL_MS = 1500;
const EXAMPLES = 4;

/** @param {string} id */
const at = (id) => document.getElementById(id);
const ui = {
  interface: at("interface"),
  engines: at("engines"),
  source: at("source"),
  target: at("target"),
  swap: at("swap"),
  invitation: at("invitation"),
  invitationTitle: at("invitation-title"),
  examples: at("examples"),
  captions: at("captions"),
  problem: at("problem"),
  problemAction: at("problem-action"),
  status: at("status"),
  toggle: at("toggle"),
  toggleText: at("toggle-text"),
  meter: at("meter"),
  output: at("output"),
};
const phrases = new PhrasePanel(at("phrases"), at("open-phrases"));
const transcript = new Transcript();

/** @type {import("./server.js").Languages|null} */
let languages = null;
/** @type {TranslationClient|null} */
let client = null;
/** @type {string} a key of the strings' "state" */
let phase = "loading";
/** @type {{code: string, detail: string, retry: (() => void)|null}|null} */
let problem = null;

// ---------------------------------------------------------------- what is shown

/** @param {string} next  a key of the strings' "state" */
function setPhase(next) {
  phase = next;
  document.body.dataset.phase = next;
  const running = client !== null;
  document.body.toggleAttribute("data-running", running);
  const wording = next === "finishing" ? "stopNow" : running ? "stop" : "start";
  ui.status.textContent = text(`state.${next}`);
  ui.toggleText.textContent = text(wording);
  ui.toggle.disabled = !languages || missingFeature() !== null;
  for (const control of [ui.source, ui.target, ui.swap]) control.disabled = running || !languages;
  ui.invitation.hidden = !ui.captions.empty;
  ui.invitationTitle.textContent = text(running ? "inviteSpeak" : "inviteTitle");
}

/**
 * Say what went wrong and what to do.
 *
 * @param {string} code  a key of the strings' "problem"
 * @param {{detail?: string, retry?: () => void}} [more]
 */
function showProblem(code, { detail = "", retry = null } = {}) {
  problem = { code, detail, retry };
  const [title, advice] = text(`problem.${code}`);
  ui.problem.querySelector(".problem-title").textContent = title;
  ui.problem.querySelector(".problem-text").textContent = detail ? `${detail} ${advice}` : advice;
  ui.problemAction.hidden = !retry;
  ui.problemAction.textContent = text(code === "playback_blocked" ? "action.play" : "action.retry");
  ui.problem.hidden = false;
}

function hideProblem() {
  problem = null;
  ui.problem.hidden = true;
}

function renderInterface() {
  document.documentElement.lang = ui.interface.value;
  document.title = text("title");
  for (const node of document.querySelectorAll("[data-text]")) {
    node.textContent = text(node.dataset.text);
  }
  for (const node of document.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", text(node.dataset.label));
    if (node.tagName === "BUTTON") node.title = text(node.dataset.label);
  }
  for (const node of document.querySelectorAll("[data-placeholder]")) {
    node.placeholder = text(node.dataset.placeholder);
  }
  ui.captions.translateInterface();
  if (languages) {
    fillLanguages(pair());
    ui.engines.title = text("enginesTitle", languages);
    ui.engines.textContent = text("engines", languages);
  }
  phrases.render();
  if (problem) showProblem(problem.code, problem);
  setPhase(phase);
}

// ---------------------------------------------------------------- languages and phrases

/** The languages chosen. */
function pair() {
  return { source: ui.source.value, target: ui.target.value };
}

/** Fill both lists so that only pairs the server has can be chosen. */
function fillLanguages(wanted) {
  const sources = [...new Set(languages.pairs.map((p) => p.source))];
  const source = sources.includes(wanted.source) ? wanted.source : sources[0];
  const targets = languages.pairs.filter((p) => p.source === source).map((p) => p.target);
  const target = targets.includes(wanted.target) ? wanted.target : targets[0];
  fillSelect(ui.source, sources, source);
  fillSelect(ui.target, targets, target);
  const canSwap = languages.pairs.some((p) => p.source === target && p.target === source);
  ui.swap.hidden = !canSwap;
}

function fillSelect(select, codes, chosen) {
  const options = codes.map((code) => new Option(languageName(code), code, false, code === chosen));
  options.sort((a, b) => a.text.localeCompare(b.text));
  select.replaceChildren(...options);
}

async function choosePair(wanted) {
  fillLanguages(wanted);
  remember("pair", pair());
  const { source } = pair();
  const found = await fetchPhrases(source).catch(() => []); // the page works without them
  if (pair().source !== source) return;
  phrases.show(source, found);
  const examples = phrases.sample(EXAMPLES).map((phrase) => phraseItem(phrase, source));
  ui.examples.querySelector("ul").replaceChildren(...examples);
  ui.examples.hidden = examples.length === 0;
}

function rememberedPair() {
  const asked = Object.fromEntries(new URLSearchParams(location.search));
  return { ...DEFAULT_PAIR, ...recall("pair", {}), ...asked };
}

/** Learn what the server can do; wait while it warms up. */
async function load() {
  hideProblem();
  setPhase("loading");
  const lacking = missingFeature();
  try {
    while (!languages) {
      try {
        languages = await fetchLanguages();
      } catch (error) {
        if (error.code !== "server_busy") throw error;
        setPhase("warming");
        await new Promise((wake) => setTimeout(wake, WARM_UP_POLL_MS));
      }
    }
  } catch (error) {
    setPhase("offline");
    showProblem(error.code, { detail: error.detail, retry: load });
    return;
  }
  ui.engines.hidden = false;
  fillLanguages(rememberedPair());
  renderInterface();
  setPhase("idle");
  if (lacking) showProblem(lacking);
  await choosePair(pair());
}

// ---------------------------------------------------------------- a session

/** Microphone errors by name (Media Capture §10.6) as problems. */
const MICROPHONE_PROBLEMS = {
  NotAllowedError: "microphone_refused",
  SecurityError: "microphone_refused",
  NotFoundError: "microphone_missing",
  OverconstrainedError: "microphone_missing",
};

async function start() {
  hideProblem();
  const session = new TranslationClient();
  client = session;
  setPhase("microphone");
  let track = null;
  let stopMeter = () => {};
  let failed = false;
  try {
    track = await openMicrophone();
    if (client !== session) return; // stopped while the browser was asking
    track.addEventListener("ended", () => {
      showProblem("microphone_ended", { retry: start });
      session.stop();
    });
    const over = follow(session, track);
    await session.start(track, pair());
    stopMeter = await watchLevel(track, (rms) => ui.meter.push(rms));
    await over;
  } catch (error) {
    if (client === session) report(error);
    failed = true;
  } finally {
    session.stop({ drain: false });
    track?.stop();
    await stopMeter();
    if (client === session) endSession(failed ? "offline" : "closed");
  }
}

/** @param {"closed"|"offline"} next */
function endSession(next) {
  client = null;
  ui.meter.reset();
  ui.output.srcObject = null;
  ui.captions.settle();
  setPhase(next);
}

async function stop() {
  const session = client;
  if (session.state === "live" || session.state === "interrupted") await session.stop();
  else if (session.state !== "idle") await session.stop({ drain: false });
  else endSession("closed"); // still waiting for the microphone
}

function report(error) {
  if (error instanceof ClientError) {
    const retry = error.code === "webrtc_missing" ? null : start;
    showProblem(error.code, { detail: error.detail, retry });
  } else if (error instanceof DOMException) {
    showProblem(MICROPHONE_PROBLEMS[error.name] ?? "microphone_busy", { retry: start });
  } else {
    throw error;
  }
}

/**
 * Show what a session says. Resolves when it has closed.
 *
 * @param {TranslationClient} session
 * @param {MediaStreamTrack} track
 */
function follow(session, track) {
  let sessionId = "";
  let hearing = false;
  const pending = new Set();
  const speaking = new Set();
  const showActivity = () => {
    if (session.state !== "live") return;
    if (hearing) setPhase("hearing");
    else if (speaking.size) setPhase("speaking");
    else setPhase(pending.size ? "translating" : "listening");
  };
  const on = (type, listener) => session.addEventListener(type, ({ detail }) => listener(detail));

  on("session", ({ id }) => (sessionId = id));
  on("track", ({ stream }) => play(stream));
  on("vad", ({ state }) => {
    hearing = state === "speech";
    showActivity();
  });
  on("segment", (event) => {
    const segment = transcript.apply(sessionId, event);
    if (!segment) return;
    ui.invitation.hidden = true;
    ui.captions.show(segment);
    if (segment.final) pending.delete(segment.key);
    else pending.add(segment.key);
    showActivity();
  });
  on("warning", ({ message }) => showProblem("notice", { detail: message }));
  on("refused", ({ message }) => showProblem("notice", { detail: message }));
  on("playout", ({ segment_id: id, state }) => {
    const key = `${sessionId}/${id}`;
    ui.captions.showPlayout(key, state);
    if (state === "started") speaking.add(key);
    else speaking.delete(key);
    showActivity();
  });
  const over = new Promise((resolve, reject) => {
    on("state", ({ state, error }) => {
      if (state === "live") showActivity();
      else if (state === "closed") error ? reject(error) : resolve();
      else setPhase(state);
      if (state === "finishing") track.enabled = false;
    });
  });
  over.catch(() => {}); // when it fails before it was live, `start` throws the same error
  return over;
}

/** Play through an element, not through Web Audio: only so does the browser cancel its echo. */
async function play(stream) {
  ui.output.srcObject = stream;
  try {
    await ui.output.play();
  } catch (error) {
    if (error.name !== "NotAllowedError") return; // the session ended before it began
    showProblem("playback_blocked", { retry: () => ui.output.play() });
  }
}

// ---------------------------------------------------------------- controls

ui.toggle.addEventListener("click", () => (client ? stop() : start()));
ui.source.addEventListener("change", () => choosePair(pair()));
ui.target.addEventListener("change", () => choosePair(pair()));
ui.swap.addEventListener("click", () => {
  const { source, target } = pair();
  choosePair({ source: target, target: source });
});
ui.problemAction.addEventListener("click", () => {
  const { retry } = problem;
  hideProblem();
  retry();
});
at("problem-dismiss").addEventListener("click", hideProblem);
ui.interface.addEventListener("change", () => {
  remember("interface", ui.interface.value);
  speakInterface(ui.interface.value);
  renderInterface();
});
addEventListener("pagehide", () => client?.stop({ drain: false }));

const preferred = recall("interface", "") || navigator.language.slice(0, 2);
ui.interface.value = preferred in interfaceLanguages ? preferred : "en";
speakInterface(ui.interface.value);
renderInterface();
load();
