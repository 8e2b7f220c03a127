/**
 * What would keep this browser from being heard, one check after the other. Stands alone but for
 * the reading of headers: it must work where the page does not.
 *
 * A check is `async (state) => finding`, a finding `[level, text, values]`; `text` and `${text}Fix`
 * are keys of the strings below. Checks leave in `state` what later ones need.
 */
import { iceServersOf } from "./client/ice.js";

const CONNECT_MS = 12000; // the server gives up after 15 s by default
const RELAY_MS = 8000;

const en = {
  title: "Can you be heard from here?",
  about: "This page looks for what would keep this browser from using the interpreter, and says what to do about it.",
  again: "Look again",
  back: "To the interpreter",
  allWell: "All is well.",
  faults: "Found: {n}. See what to do at each.",
  secure: "The page is in a secure context.",
  insecure: "The page is not in a secure context: the browser refuses it the microphone.",
  insecureFix: "Open it over https://, or on this machine as http://localhost.",
  browser: "The browser has all that the interpreter uses.",
  browserLacks: "The browser lacks {what}.",
  browserLacksFix: "Use a current Chrome, Edge, Firefox or Safari.",
  browserOdd: "The browser lacks {what}; the interpreter does without.",
  browserOddFix: "A current Chrome or Edge has everything.",
  server: "The server is ready: {ast}, {tts}.",
  serverGone: "The server does not answer.",
  serverGoneFix: "See that it runs, and that no proxy or blocker stands between.",
  serverSays: "The server says: {why}",
  serverSaysFix: "Wait a moment and look again; if it stays, tell whoever runs the server.",
  microphone: "The microphone works: {name}.",
  microphoneAsk: "The microphone was not allowed.",
  microphoneAskFix: "Allow it beside the address, and look again.",
  microphoneNone: "There is no microphone.",
  microphoneNoneFix: "Connect one, or use the sound of a tab or a file.",
  microphoneMute: "The microphone {name} gives complete silence.",
  microphoneMuteFix: "See that it is not muted, by its own switch or in the system.",
  call: "A call connects in {ms} ms ({path}), and its events arrive.",
  callRefused: "The call is refused: {why}",
  callRefusedFix: "Do what the sentence says.",
  callStuck: "A call does not connect: UDP does not get through. The server offers {offered}.",
  callStuckFix: "If that is not the server's address as seen from here, whoever runs it sets --public-address, or adds a TURN server. The interpreter goes on over a WebSocket meanwhile.",
  callMute: "The call connects, but no event arrives.",
  callMuteFix: "Tell whoever runs the server.",
  relay: "The relay {url} works.",
  relayDead: "The relay {url} gave no address.",
  relayDeadFix: "Whoever runs the server checks its TURN server (rtc-server doctor does, too).",
  noRelay: "The server names no TURN server: from networks that stop UDP, only the WebSocket is left.",
  noRelayFix: "Whoever runs the server may add one with --ice-servers.",
  socket: "WebSockets get through, for networks without UDP.",
  socketDead: "WebSockets do not get through.",
  socketDeadFix: "A proxy in between must pass Upgrade on (examples/proxy has one for nginx).",
};

const ru = {
  title: "Услышат ли вас отсюда?",
  about: "Страница ищет, что помешает этому браузеру пользоваться переводчиком, и говорит, что с этим делать.",
  again: "Проверить ещё раз",
  back: "К переводчику",
  allWell: "Всё в порядке.",
  faults: "Найдено: {n}. У каждого сказано, что делать.",
  secure: "Страница открыта безопасно.",
  insecure: "Страница открыта небезопасно: браузер не даст ей микрофон.",
  insecureFix: "Откройте её по https:// или на этой же машине как http://localhost.",
  browser: "В браузере есть всё, что нужно переводчику.",
  browserLacks: "Браузеру не хватает: {what}.",
  browserLacksFix: "Возьмите свежий Chrome, Edge, Firefox или Safari.",
  browserOdd: "Браузеру не хватает: {what}; переводчик обойдётся.",
  browserOddFix: "В свежих Chrome и Edge есть всё.",
  server: "Сервер готов: {ast}, {tts}.",
  serverGone: "Сервер не отвечает.",
  serverGoneFix: "Проверьте, что он работает и что прокси или блокировщик не мешают.",
  serverSays: "Сервер говорит: {why}",
  serverSaysFix: "Подождите и проверьте ещё раз; если не пройдёт, скажите тому, кто ведёт сервер.",
  microphone: "Микрофон работает: {name}.",
  microphoneAsk: "Микрофон не разрешён.",
  microphoneAskFix: "Разрешите его рядом с адресом страницы и проверьте ещё раз.",
  microphoneNone: "Микрофона нет.",
  microphoneNoneFix: "Подключите его или переводите звук вкладки или файла.",
  microphoneMute: "Микрофон {name} даёт полную тишину.",
  microphoneMuteFix: "Проверьте, не выключен ли он своей кнопкой или в системе.",
  call: "Вызов соединяется за {ms} мс ({path}), события приходят.",
  callRefused: "Вызов отклонён: {why}",
  callRefusedFix: "Сделайте, что сказано.",
  callStuck: "Вызов не соединяется: UDP не проходит. Сервер предлагает {offered}.",
  callStuckFix: "Если отсюда у сервера другой адрес, пусть тот, кто его ведёт, задаст --public-address или добавит сервер TURN. Пока переводчик работает через WebSocket.",
  callMute: "Вызов соединяется, но события не приходят.",
  callMuteFix: "Скажите тому, кто ведёт сервер.",
  relay: "Ретранслятор {url} работает.",
  relayDead: "Ретранслятор {url} не дал адреса.",
  relayDeadFix: "Пусть тот, кто ведёт сервер, проверит TURN (в том числе командой rtc-server doctor).",
  noRelay: "Сервер не назвал сервера TURN: из сетей без UDP останется только WebSocket.",
  noRelayFix: "Тот, кто ведёт сервер, может добавить его через --ice-servers.",
  socket: "WebSocket проходит: годится для сетей без UDP.",
  socketDead: "WebSocket не проходит.",
  socketDeadFix: "Прокси на пути должен пропускать Upgrade (в examples/proxy есть пример для nginx).",
};

const strings = navigator.language.startsWith("ru") ? ru : en;

const CHECKS = [secureContext, features, server, microphone, call, relays, socket];

async function secureContext() {
  return isSecureContext ? ["ok", "secure"] : ["fault", "insecure"];
}

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

async function call(state) {
  if (!state.ready) return null;
  const known = state.iceServers?.length;
  const finding = await oneCall(state);
  const news = !known && state.iceServers?.length; // which its answer named
  return news && finding[1] === "callStuck" ? oneCall(state) : finding;
}

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

async function relays(state) {
  if (!state.ready) return null;
  const servers = (state.iceServers ?? []).filter(({ urls }) => [urls].flat()[0].startsWith("turn"));
  if (!servers.length) return ["note", "noRelay"];
  for (const server of servers) {
    const url = [server.urls].flat()[0];
    if (!(await relayOf(server))) return ["fault", "relayDead", { url }];
  }
  return ["ok", "relay", { url: servers.map(({ urls }) => [urls].flat()[0]).join(", ") }];
}

/** Whether a TURN server gives an address. */
async function relayOf(server) {
  const peer = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: "relay" });
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

/** What an error answer says. */
async function sentenceOf(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? `${response.status} ${response.statusText}`;
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

function say(key, values = {}) {
  return strings[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

function show(list, [level, text, values]) {
  const item = document.createElement("li");
  item.dataset.level = level;
  item.dataset.check = text;
  for (const [name, key] of [["what", text], ["fix", `${text}Fix`]]) {
    if (!(key in strings)) continue;
    const line = document.createElement("p");
    line.className = name;
    line.textContent = say(key, values);
    item.append(line);
  }
  list.append(item);
}

async function examine() {
  const [list, verdict, again] = ["checks", "verdict", "again"].map((id) => document.getElementById(id));
  list.replaceChildren();
  verdict.textContent = "";
  again.disabled = true;
  const state = { audio: new AudioContext() };
  let faults = 0;
  try {
    for (const check of CHECKS) {
      const finding = await check(state);
      if (!finding) continue;
      show(list, finding);
      faults += finding[0] === "fault";
    }
  } finally {
    await state.audio.close();
    again.disabled = false;
  }
  verdict.textContent = faults ? say("faults", { n: faults }) : say("allWell");
  verdict.dataset.faults = faults;
}

document.documentElement.lang = strings === ru ? "ru" : "en";
for (const element of document.querySelectorAll("[data-text]")) {
  element.textContent = say(element.dataset.text);
}
document.title = say("title");
document.getElementById("again").addEventListener("click", examine);
examine();
