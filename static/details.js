/** The details panel: delays, loss and queues, from the server's metrics and the browser's own. */
import { text } from "./i18n.js";

const REFRESH_MS = 1000;

/** Rows in order: name in the strings, key in x.metrics or of `connection`, and how to write it. */
/** @type {[string, string, (value: any) => string][]} */
const ROWS = [
  ["connection", "path", (path) => text(`path.${path}`)],
  ["delay", "first_audio_ms", milliseconds],
  ["earVoice", "ear_voice_ms", milliseconds],
  ["delayEnd", "endpoint_ms", milliseconds],
  ["delayTranslation", "ast_ms", milliseconds],
  ["delayVoice", "tts_ms", milliseconds],
  ["waiting", "queue_ms", milliseconds],
  ["dropped", "queue_drops", String],
  ["roundTrip", "round_trip_ms", milliseconds],
  ["lossUp", "loss", percent],
  ["lossDown", "loss_down", percent],
  ["jitter", "jitter_ms", milliseconds],
];

export class Details {
  #panel;
  #values = {};
  #timer = 0;

  /** @param {HTMLDetailsElement} panel */
  constructor(panel) {
    this.#panel = panel;
    this.render();
  }

  /** Take an x.metrics event. */
  take(metrics) {
    Object.assign(this.#values, metrics);
    this.render();
  }

  /** Follow a conversation's connection until `stop`. */
  follow(conversation) {
    this.#values = {};
    this.#timer = setInterval(async () => {
      if (this.#panel.open) this.take(connection(await conversation.stats()));
    }, REFRESH_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }

  render() {
    const rows = ROWS.flatMap(([name, key, write]) => {
      const term = document.createElement("dt");
      term.textContent = text(`detail.${name}`);
      const value = document.createElement("dd");
      const known = this.#values[key];
      value.textContent = known === null || known === undefined ? "–" : write(known);
      return [term, value];
    });
    this.#panel.querySelector("dl").replaceChildren(...rows);
  }
}

/** What the browser knows about the connection. @param {RTCStatsReport|null} report */
function connection(report) {
  if (!report) return { path: "websocket" };
  /** @type {Record<string, number|string>} */
  const values = {};
  for (const stat of report.values()) {
    if (stat.type === "candidate-pair" && stat.nominated && "currentRoundTripTime" in stat) {
      values.round_trip_ms = stat.currentRoundTripTime * 1000;
      values.path = pathOf(report.get(stat.localCandidateId));
    }
    if (stat.type === "inbound-rtp" && stat.packetsReceived) {
      values.loss_down = stat.packetsLost / (stat.packetsReceived + stat.packetsLost);
    }
  }
  return values;
}

/** How packets leave this browser. @param {RTCIceCandidateStats|undefined} candidate */
function pathOf(candidate) {
  return candidate?.candidateType === "relay" ? "relay" : (candidate?.protocol ?? "udp");
}

function milliseconds(value) {
  return text("milliseconds", { value: Math.round(value) });
}

function percent(value) {
  return `${(value * 100).toFixed(1)} %`;
}
