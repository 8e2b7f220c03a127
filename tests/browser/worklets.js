/** What the tests run in Chromium: the encoder in an OfflineAudioContext, the player by hand. */

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const toBase64 = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  }
  return btoa(text);
};
const later = () => new Promise((wake) => setTimeout(wake, 10));

/** @returns what the encoder posts: the chunks as one piece, their sizes, and its reports */
export async function encode({ rate, channels, buffers, chunks }) {
  const signals = channels.map((channel) => new Float32Array(bytesOf(channel).buffer));
  const { length } = signals[0];
  const context = new OfflineAudioContext(signals.length, length, rate);
  await context.audioWorklet.addModule("/static/worklets/encoder.worklet.js");
  const buffer = new AudioBuffer({ length, sampleRate: rate, numberOfChannels: signals.length });
  signals.forEach((signal, index) => buffer.copyToChannel(signal, index));
  const source = new AudioBufferSourceNode(context, { buffer });
  const processorOptions = { buffers };
  const encoder = new AudioWorkletNode(context, "encoder", { numberOfOutputs: 0, processorOptions });
  const posted = [];
  encoder.port.onmessage = ({ data }) => posted.push(data);
  source.connect(encoder);
  source.start();
  await context.startRendering();
  const isChunk = (message) => message instanceof ArrayBuffer;
  while (posted.filter(isChunk).length < chunks) await later();
  const pieces = posted.filter(isChunk).map((piece) => new Uint8Array(piece));
  const pcm = new Uint8Array(await new Blob(pieces).arrayBuffer());
  const sizes = pieces.map((piece) => piece.length);
  return { pcm: toBase64(pcm), sizes, reports: posted.filter((message) => !isChunk(message)) };
}

let Player = null;

async function playerClass(rate) {
  if (Player) return Player;
  globalThis.sampleRate = rate;
  globalThis.AudioWorkletProcessor = class {
    constructor() {
      this.posted = [];
      this.port = { postMessage: (message) => this.posted.push(message) };
    }
  };
  globalThis.registerProcessor = (_name, made) => (Player = made);
  await import("/static/worklets/player.worklet.js");
  return Player;
}

/**
 * Play `pcm` (16 kHz Int16LE): each message is [when in s, first sample, how many] or [when, word].
 * The time is that of the context, so that nothing here depends on how busy the machine is.
 */
export async function play({ rate, pcm, messages, seconds }) {
  const player = new (await playerClass(rate))();
  const bytes = bytesOf(pcm);
  const heard = new Float32Array(Math.ceil((seconds * rate) / 128) * 128);
  let next = 0;
  for (let at = 0; at < heard.length; at += 128) {
    for (; next < messages.length && messages[next][0] <= at / rate; next++) {
      const [, first, count] = messages[next];
      const chunk = count && bytes.slice(2 * first, 2 * (first + count)).buffer;
      player.port.onmessage({ data: chunk ?? first });
    }
    player.process([], [[heard.subarray(at, at + 128)]]);
  }
  return { heard: toBase64(new Uint8Array(heard.buffer)), reports: player.posted };
}
