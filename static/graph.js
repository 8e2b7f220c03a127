/** The page's one audio graph. */
import { ClientError } from "./client/errors.js";

const WORKLETS = ["meter", "tape"];
/** @type {AudioContext|null} */
let context = null;
/** @type {Promise<unknown>} */
let ready = Promise.resolve();

/**
 * A context that runs, with our worklets in it. Made at first use: browsers want a gesture first.
 *
 * @throws {ClientError} server_unreachable, where the worklets do not come; the next call asks again
 */
export async function audioGraph() {
  if (!context) {
    context = new AudioContext();
    ready = loadWorklets(context);
  }
  context.resume().catch(() => {}); // it stays silent until the person touches the page
  await ready;
  return context;
}

/** @param {AudioContext} made */
async function loadWorklets(made) {
  const load = (name) => made.audioWorklet.addModule(new URL(`${name}.worklet.js`, import.meta.url));
  try {
    await Promise.all(WORKLETS.map(load));
  } catch {
    context = null; // this one would remember that a module did not come
    made.close();
    throw new ClientError("server_unreachable");
  }
}

/** Have the graph rest, if there is one: the next use wakes it. */
export function restGraph() {
  context?.suspend();
}

/** A node for a track's sound. @param {MediaStreamTrack} track */
export function trackNode(track) {
  return context.createMediaStreamSource(new MediaStream([track]));
}

/**
 * Follow the loudness of a track, where that can be done: a session is worth having without.
 *
 * @param {MediaStreamTrack} track
 * @param {(rms: number, peak: number) => void} onLevel  30 times a second, 0 to 1
 * @returns {Promise<() => void>} stops it
 */
export async function watchLevel(track, onLevel) {
  try {
    await audioGraph();
    const source = trackNode(track);
    const meter = meterNode(onLevel);
    source.connect(meter);
    return () => {
      source.disconnect();
      meter.port.onmessage = null; // a measurement may be on its way
      meter.port.postMessage("end");
    };
  } catch {
    return () => {};
  }
}

/** A node that measures what is connected to it. @param {(rms: number, peak: number) => void} onLevel */
export function meterNode(onLevel) {
  const meter = new AudioWorkletNode(context, "meter", { numberOfOutputs: 0 });
  meter.port.onmessage = ({ data }) => onLevel(data.rms, data.peak);
  return meter;
}
