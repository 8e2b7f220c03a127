/** What bench/websocket.py runs in Chromium: one person with two connections, and a tape of each. */

let context;
const people = {};

async function open(kind) {
  context ??= new AudioContext({ sampleRate: 48000 });
  await context.resume();
  await context.audioWorklet.addModule("/static/tape.worklet.js");
  const { Api } = await import("/static/client/api.js");
  const { WebRtcLink } = await import("/static/client/webrtc.js");
  const { WebSocketLink } = await import("/static/client/websocket.js");
  const link = new { webrtc: WebRtcLink, websocket: WebSocketLink }[kind](new Api(location.href, "", {}));
  const microphone = context.createMediaStreamDestination();
  const tape = new AudioWorkletNode(context, "tape", { numberOfOutputs: 0 });
  link.addEventListener("stream", ({ detail }) => {
    const speaker = new Audio(); // without one Chromium does not decode a remote stream
    speaker.srcObject = detail.stream;
    speaker.muted = true;
    speaker.play();
    context.createMediaStreamSource(detail.stream).connect(tape);
    people[kind].speaker = speaker;
  });
  people[kind] = { link, microphone, tape };
  await link.open(microphone.stream.getAudioTracks()[0], { source: "ru", target: "en", session: {} });
}

/** Say it, and give what was heard from the end of it on, as base64 of float samples at 48 kHz. */
async function say(kind, speech, seconds) {
  const { microphone, tape } = people[kind];
  const samples = new Float32Array(Uint8Array.from(atob(speech), (letter) => letter.charCodeAt(0)).buffer);
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: 48000 });
  buffer.copyToChannel(samples, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(microphone);
  const begin = context.currentTime + 0.1;
  source.start(begin);
  const end = begin + buffer.duration;
  await new Promise((wake) => setTimeout(wake, (end - context.currentTime + seconds) * 1000));
  const heard = new Promise((resolve) => (tape.port.onmessage = ({ data }) => resolve(data.samples)));
  tape.port.postMessage({ from: end });
  const bytes = new Uint8Array((await heard).buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  }
  return btoa(text);
}

/** Render so much, with the encoder or without it. */
async function render(rate, seconds, encodes) {
  const context = new OfflineAudioContext(1, rate * seconds, rate);
  await context.audioWorklet.addModule("/static/worklets/encoder.worklet.js");
  const source = new ConstantSourceNode(context);
  const options = { numberOfOutputs: 0, processorOptions: { buffers: 60 * seconds } };
  if (encodes) source.connect(new AudioWorkletNode(context, "encoder", options));
  source.start();
  await context.startRendering();
}

Object.assign(window, { open, say, render, people });
