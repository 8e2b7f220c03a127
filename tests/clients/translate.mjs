/**
 * Speak a recording to a server through the openai SDK for Node, as its guide does, and print each
 * typed event as a line of JSON. The microphone "opens" at `session.created`.
 *
 *     node translate.mjs BASE_URL KEY LANGUAGE < recording (PCM16, mono, 24 kHz)
 */
import { readFileSync } from "node:fs";

import OpenAI from "openai";
import { OpenAIRealtimeTranslationWS } from "openai/realtime/translations/ws";

const [baseURL, apiKey, language] = process.argv.slice(2);
const CHUNK = 9600; // 200 ms
const recording = readFileSync(0);
const client = new OpenAI({ baseURL, apiKey });
const connection = await OpenAIRealtimeTranslationWS.create(client, {
  model: "gpt-realtime-translate",
});

const say = (type, fields = {}) => console.log(JSON.stringify({ type, ...fields }));
for (const type of [
  "session.closed",
  "session.input_transcript.delta",
  "session.output_transcript.delta",
]) {
  connection.on(type, ({ delta }) => say(type, { delta }));
}
connection.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
connection.on("session.output_audio.delta", ({ sample_rate }) =>
  say("session.output_audio.delta", { sample_rate }),
);
connection.on("session.created", ({ session }) => {
  say("session.created", { expires_at: session.expires_at });
  const audio = { input: { transcription: { model: "whisper-1" } }, output: { language } };
  connection.send({ type: "session.update", session: { audio } });
});
connection.on("session.updated", async ({ session }) => {
  say("session.updated", { language: session.audio.output.language });
  for (let at = 0; at < recording.length; at += CHUNK) {
    const audio = recording.subarray(at, at + CHUNK).toString("base64");
    connection.send({ type: "session.input_audio_buffer.append", audio });
    await new Promise((then) => setTimeout(then, 200));
  }
  await connection.finish({ timeoutMs: 60_000 });
  say("finished");
});
