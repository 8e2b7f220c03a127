/** What finds that the microphone of `<speech-translate>` is too loud; loaded once a call is up. */
import { ClipWatch } from "./clipping.js";
import { restGraph, watchLevel } from "./graph.js";

/** Elements of this page that share the graph. */ let watching = 0;

/**
 * Follow a microphone until the call is over.
 *
 * @param {MediaStreamTrack} track
 * @param {(clipping: boolean) => void} tell
 * @returns {Promise<() => void>} stops it; the graph rests when nobody needs it
 */
export async function watchClipping(track, tell) {
  const clips = new ClipWatch();
  watching += 1;
  const stop = await watchLevel(track, (_rms, peak) => {
    const clipping = clips.push(peak, performance.now());
    if (clipping !== null) tell(clipping);
  });
  return () => {
    stop();
    watching -= 1;
    if (!watching) restGraph();
  };
}
