/** What a conversation says, shown on the page while it runs. */
import { SourceError } from "./devices.js";
import { find } from "./dom.js";
import { text } from "./i18n.js";
import { LevelMeter } from "./meter.js";
import { write } from "./write.js";

/** Of the server's warnings those that the page has words for. */
const WARNINGS = new Set(["engine_slow", "no_pause", "own_voice", "replay_incomplete", "slow_network"]);

/** What a caption says already, or only concerns applications. */
const QUIET = /^(engine_|audio_ahead$)/;

/**
 * @param {import("./conversation.js").Conversation} session
 * @param {object} page  its parts, and what they cannot do alone
 * @param {import("./details.js").Details} page.details
 * @param {import("./lag.js").Lag} page.lag
 * @param {import("./phrases.js").PhrasePanel} page.phrases
 * @param {import("./problems.js").ProblemBar} page.problems
 * @param {import("./said.js").Said} page.said
 * @param {import("./settings.js").Settings} page.settings
 * @param {import("./sound.js").Sound} page.sound
 * @param {() => boolean} page.current  whether this is still the page's session
 * @param {(phase: string, values?: object) => void} page.setPhase
 * @param {() => void} page.advise  says what a person with loudspeakers should know
 * @param {() => void} page.start  begins another session
 * @returns {() => void} takes back what is shown only while it runs
 */
export function follow(session, page) {
  const { details, lag, phrases, problems, said, settings, sound } = page;
  const hint = find("#hint", HTMLElement);
  const meter = find("#meter", LevelMeter);
  let understood = false;
  const on = (type, show) =>
    session.addEventListener(type, (/** @type {CustomEvent} */ { detail }) => {
      if (page.current()) show(detail);
    });
  on("phase", ({ phase, position }) => page.setPhase(phase, { position }));
  on("level", ({ rms }) => meter.push(rms));
  on("hearing", ({ nothing }) => write(hint, nothing ? text("nothingHeard") : ""));
  on("clipping", ({ clipping }) => {
    meter.toggleAttribute("data-clipping", clipping);
    write(hint, clipping ? text("tooLoud") : "");
  });
  on("stream", ({ stream }) => sound.play(stream));
  on("expiring", ({ in_ms: inMs, reason }) => {
    if (inMs && reason !== "restart") problems.show(reason === "idle" ? "expiring_idle" : "expiring");
  });
  on("notice", ({ code, message }) => {
    const retry = code === "no_pause" && settings.mayHold ? () => settings.holdToTalk() : null;
    if (WARNINGS.has(code)) problems.show(code, { retry });
    else if (!QUIET.test(code)) problems.show("notice", { detail: message });
  });
  on("mode", ({ mode }) => (lag.mode = mode));
  on("metrics", (metrics) => {
    details.take(metrics);
    lag.take(metrics);
  });
  on("segment", (event) => {
    problems.hide("expiring_idle"); // somebody speaks again
    if (event.final) problems.hide("engine_slow");
    if (said.take(event)?.status === "final") understood = true;
  });
  on("playout", (event) => {
    said.playout(event);
    if (event.state === "started") problems.hide("engine_slow");
    if (event.state !== "skipped") sound.playout(event);
  });
  on("renewed", () => {
    said.settle();
    sound.forget();
  });
  on("source", ({ source }) => {
    settings.source = source;
    sound.underlay();
    page.advise();
  });
  on("source-ended", async ({ kind }) => {
    try {
      await replaceSource(session, settings, kind);
      problems.show("microphone_gone");
    } catch {
      problems.show("source_ended", { retry: page.start });
      session.stop();
    }
  });
  details.follow(session);
  return () => {
    meter.reset();
    meter.removeAttribute("data-clipping");
    write(hint, "");
    // Who was understood knows what to say; sooner, what is being read would move.
    if (understood) phrases.fold();
  };
}

/** A source went away by itself: another microphone may do, unless another kind of source is wanted. */
async function replaceSource(session, settings, kind) {
  if (kind !== "microphone" || !settings.mayHold) throw new SourceError("source_ended");
  await session.changeSource(settings.openSource);
}
