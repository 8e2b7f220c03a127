/** The names of the engines in use, in the header and the settings. */
import { find } from "./dom.js";
import { text } from "./i18n.js";

/** @param {import("./server.js").Languages} server */
export function renderEngines(server) {
  const names = find("#engines", HTMLElement);
  names.hidden = false;
  names.textContent = text("engines", server);
  names.title = text("enginesTitle", server);
  const set = { name: server.engine_set, ...server };
  find("#engine-set", HTMLElement).textContent = text(server.engine_set ? "engineSet" : "ownEngines", set);
  find("#other-sets", HTMLElement).hidden = server.engine_set !== "embedded";
}
