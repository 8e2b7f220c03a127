/** How loud the microphone of a room's speaker is, and that it is too loud. */
import { ClipWatch } from "./clipping.js";
import { find } from "./dom.js";
import { watchLevel } from "./graph.js";
import { text } from "./i18n.js";
import { LevelMeter } from "./meter.js";
import { write } from "./write.js";

const meter = find("#meter", LevelMeter);

/** Show it for a track. @param {MediaStreamTrack} track  @param {AbortSignal} until */
export function measure(track, until) {
  const clips = new ClipWatch();
  const metering = watchLevel(track, (rms, peak) => {
    meter.push(rms);
    const clipping = clips.push(peak, performance.now());
    if (clipping !== null) warn(clipping);
  });
  until.addEventListener("abort", async () => {
    (await metering)();
    meter.reset();
    warn(false);
  });
}

/** @param {boolean} clipping  the microphone cuts off what is loudest */
function warn(clipping) {
  meter.toggleAttribute("data-clipping", clipping);
  write(find("#hint", HTMLElement), clipping ? text("tooLoud") : "");
}
