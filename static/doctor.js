/**
 * What would keep this browser from being heard, one check after the other. It takes nothing of the
 * page but its words and the reading of headers and refusals: it must work where the page does not.
 *
 * `key` and `${key}Fix` of a finding are keys of the strings' "doctor". Checks leave in `state` what later
 * ones need.
 *
 * @typedef {{audio: AudioContext, [name: string]: any}} State
 * @typedef {[level: "ok"|"note"|"fault", key: string, values?: Record<string, any>]} Finding
 * @typedef {(state: State) => Promise<Finding|null>} Check
 */
import { find } from "./dom.js";
import { ClientError } from "./client/errors.js";
import { iceServersOf } from "./client/ice.js";
import { renderTexts } from "./interface.js";
import { interfaceLanguage, text, useWords } from "./i18n.js";
import { problemOf } from "./refusals.js";

const CONNECT_MS = 12000; // the server gives up after 15 s by default
const RELAY_MS = 8000;

await useWords("doctor");

/** @type {Check[]} */
const CHECKS = [secureContext, features, server, microphone, call, relays, socket];

/** @type {Check} */
async function secureContext() {
  return isSecureContext ? ["ok", "secure"] : ["fault", "insecure"];
}

/** @type {Check} */
async function features() {
  const needed = { WebRTC: "RTCPeerConnection", "Web Audio": "AudioWorkletNode", WebSocket: "WebSocket" };
  const missing = absent(needed);
  if (isSecureContext && !navigator.mediaDevices?.getUserMedia) missing.push("getUserMedia");
  if (missing.length) return ["fault", "browserLacks", { what: missing.join(", ") }];
  const odd = absent({ "Document Picture-in-Picture": "documentPictureInPicture" });
  if (!("setSinkId" in HTMLMediaElement.prototype)) odd.push("setSinkId");
  return odd.length ? ["note", "browserOdd", { what: odd.join(", ") }] : ["ok", "browser"];
}

function absent(names) {
  return Object.keys(names).filter((name) => !(names[name] in globalThis));
}

/** @type {Check} */
async function server(state) {
  try {
    const ready = await fetch(here("readyz"), { cache: "no-store" });
    if (!ready.ok) return ["fault", "serverSays", { why: await sentenceOf(ready) }];
    let languages = await ask(state, "v1/languages");
    if (languages.status === 401) {
      const secret = await fetch(here("page/secret"), { method: "POST" });
      if (!secret.ok) return ["fault", "serverSays", { why: await sentenceOf(secret) }];
      const { value, x } = await secret.json();
      Object.assign(state, { token: value, iceServers: x.ice_servers, policy: x.ice_transport_policy });
      languages = await ask(state, "v1/languages");
    }
    if (!languages.ok) return ["fault", "serverSays", { why: await sentenceOf(languages) }];
    const { ast, tts } = await languages.json();
    state.ready = true;
    return ["ok", "server", { ast, tts }];
  } catch {
    return ["fault", "serverGone"];
  }
}

/** @type {Check} */
async function microphone(state) {
  if (!navigator.mediaDevices) return null;
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    return error.name === "NotFoundError" ? ["note", "microphoneNone"] : ["fault", "microphoneAsk"];
  }
  const [track] = stream.getAudioTracks();
  try {
    const name = track.label || "?";
    const peak = await loudest(state.audio, stream);
    return peak > 0 ? ["ok", "microphone", { name }] : ["note", "microphoneMute", { name }];
  } finally {
    track.stop();
  }
}

/** The highest sample of the next second. */
async function loudest(audio, stream) {
  await within(1000, audio.resume()); // without a click some browsers never do
  const source = audio.createMediaStreamSource(stream);
  const analyser = new AnalyserNode(audio, { fftSize: 2048 });
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let peak = 0;
  for (let turn = 0; turn < 20 && peak === 0; turn++) {
    await pause(50);
    analyser.getFloatTimeDomainData(samples);
    peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  }
  source.disconnect();
  return peak;
}

/** @type {Check} */
async function call(state) {
  if (!state.ready) return null;
  const known = state.iceServers?.length;
  const finding = await oneCall(state);
  const news = !known && state.iceServers?.length; // which its answer named
  return news && finding[1] === "callStuck" ? oneCall(state) : finding;
}

/** @type {Check} */
async function oneCall(state) {
  const peer = new RTCPeerConnection({
    iceServers: state.iceServers ?? [],
    iceTransportPolicy: state.policy ?? "all",
  });
  const silence = new MediaStreamAudioDestinationNode(state.audio).stream;
  const began = performance.now();
  let location = null;
  try {
    peer.addTrack(silence.getAudioTracks()[0], silence);
    const heard = new Promise((resolve) => {
      peer.createDataChannel("oai-events").addEventListener("message", resolve, { once: true });
    });
    const connected = until(peer, "connectionstatechange", () => peer.connectionState === "connected");
    await peer.setLocalDescription();
    await within(1000, until(peer, "icegatheringstatechange", () => peer.iceGatheringState === "complete"));
    const answer = await ask(state, "v1/realtime/translations/calls", {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: peer.localDescription.sdp,
    });
    if (!answer.ok) return ["fault", "callRefused", { why: await sentenceOf(answer) }];
    location = new URL(answer.headers.get("Location"), answer.url);
    if (!state.iceServers?.length) state.iceServers = iceServersOf(answer.headers.get("Link") ?? "");
    const sdp = await answer.text();
    await peer.setRemoteDescription({ type: "answer", sdp });
    if (!(await within(CONNECT_MS, connected))) {
      return ["fault", "callStuck", { offered: candidatesOf(sdp) || "–" }];
    }
    const ms = Math.round(performance.now() - began);
    if (!(await within(CONNECT_MS, heard))) return ["fault", "callMute"];
    return ["ok", "call", { ms, path: await pathOf(peer) }];
  } finally {
    if (location) await ask(state, location, { method: "DELETE", keepalive: true }).catch(() => {});
    peer.close();
  }
}

/** The two ends of the pair in use. */
async function pathOf(peer) {
  const report = await peer.getStats();
  const stats = [...report.values()];
  const transport = stats.find((each) => each.type === "transport" && each.selectedCandidatePairId);
  const pair = transport
    ? report.get(transport.selectedCandidatePairId)
    : stats.find((each) => each.type === "candidate-pair" && each.nominated);
  const [near, far] = [report.get(pair?.localCandidateId), report.get(pair?.remoteCandidateId)];
  if (!far) return "?";
  return `${near?.candidateType} → ${far.candidateType} ${far.address ?? ""}:${far.port}`;
}

function candidatesOf(sdp) {
  const found = sdp.matchAll(/^a=candidate:\S+ \d \S+ \d+ (\S+) (\d+) typ (\S+)/gm);
  return [...found].map(([, address, port, kind]) => `${kind} ${address}:${port}`).join(", ");
}

/** @type {Check} */
async function relays(state) {
  if (!state.ready) return null;
  const servers = (state.iceServers ?? []).filter(({ urls }) => [urls].flat()[0].startsWith("turn"));
  if (!servers.length) return ["note", "noRelay"];
  for (const each of servers) {
    const url = [each.urls].flat()[0];
    if (!(await relayOf(each))) return ["fault", "relayDead", { url }];
  }
  return ["ok", "relay", { url: servers.map(({ urls }) => [urls].flat()[0]).join(", ") }];
}

/** Whether a TURN server gives an address. */
async function relayOf(turn) {
  const peer = new RTCPeerConnection({ iceServers: [turn], iceTransportPolicy: "relay" });
  try {
    const found = new Promise((resolve) => {
      peer.addEventListener("icecandidate", ({ candidate }) => candidate?.type === "relay" && resolve(true));
    });
    peer.createDataChannel("x");
    await peer.setLocalDescription();
    return await within(RELAY_MS, found);
  } finally {
    peer.close();
  }
}

/** @type {Check} */
async function socket(state) {
  if (!state.ready) return null;
  const url = here("ws/audio");
  url.protocol = url.protocol.replace("http", "ws");
  const protocols = state.token ? ["realtime", `openai-insecure-api-key.${state.token}`] : [];
  const connection = new WebSocket(url, protocols);
  try {
    const heard = new Promise((resolve) => connection.addEventListener("message", () => resolve(true)));
    const closed = new Promise((resolve) => connection.addEventListener("close", () => resolve(false)));
    const works = await within(CONNECT_MS, Promise.race([heard, closed]));
    return works ? ["ok", "socket"] : ["fault", "socketDead"];
  } finally {
    connection.close();
  }
}

function here(path) {
  return new URL(path, document.baseURI);
}

function ask(state, path, init = {}) {
  const authorization = state.token ? { Authorization: `Bearer ${state.token}` } : {};
  return fetch(here(path), { cache: "no-store", ...init, headers: { ...init.headers, ...authorization } });
}

/** What an error answer says: the server's own sentence, which is English, or what it means. */
async function sentenceOf(response) {
  const error = await ClientError.fromResponse(response);
  if (interfaceLanguage() !== "en") return text(`problem.${problemOf(error)}`)[0];
  return error.detail || `${response.status} ${response.statusText}`;
}

function until(target, event, condition) {
  return new Promise((resolve) => {
    const look = () => condition() && resolve(true);
    target.addEventListener(event, look);
    look();
  });
}

/** What the promise gives, or false when that takes too long. */
function within(ms, promise) {
  return Promise.race([promise, pause(ms).then(() => false)]);
}

function pause(ms) {
  return new Promise((wake) => setTimeout(wake, ms));
}

/** @param {HTMLElement} list  @param {Finding} finding */
function show(list, [level, key, values]) {
  const item = document.createElement("li");
  item.dataset.level = level;
  item.dataset.check = key;
  for (const [name, path] of [["what", key], ["fix", `${key}Fix`]]) {
    const words = text(`doctor.${path}`, values);
    if (words === undefined) continue;
    const line = document.createElement("p");
    line.className = name;
    line.textContent = words;
    item.append(line);
  }
  list.append(item);
}

async function examine() {
  const again = find("#again", HTMLButtonElement);
  if (again.ariaDisabled) return; // it goes on
  const list = find("#checks", HTMLElement);
  const verdict = find("#verdict", HTMLElement);
  list.replaceChildren();
  verdict.textContent = "";
  again.ariaDisabled = "true"; // it keeps the focus
  const state = { audio: new AudioContext() };
  let faults = 0;
  try {
    for (const check of CHECKS) {
      const finding = await check(state);
      if (!finding) continue;
      show(list, finding);
      if (finding[0] === "fault") faults += 1;
    }
  } finally {
    await state.audio.close();
    again.ariaDisabled = null;
  }
  verdict.textContent = faults ? text("doctor.faults", { n: String(faults) }) : text("doctor.allWell");
  verdict.dataset.faults = String(faults);
}

renderTexts();
document.title = text("doctor.title");
document.getElementById("again").addEventListener("click", examine);
examine();
