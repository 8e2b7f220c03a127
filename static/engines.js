/** The names of the engines in use, in the header and the settings. */
import { find } from "./dom.js";
import { text } from "./i18n.js";

/** A command or an option of one: in the text it stands in one line. */
const COMMAND = /((?:\S+\/\S+ )?--engines \w+)/;

/** @param {string} part  @param {number} index  odd for what the pattern found */
function marked(part, index) {
  return index % 2 ? Object.assign(document.createElement("code"), { textContent: part }) : part;
}

/** @param {import("./server.js").Languages} server */
export function renderEngines(server) {
  const names = find("#engines", HTMLElement);
  names.hidden = false;
  names.textContent = text("engines", server);
  names.title = text("enginesTitle", server);
  const set = { name: server.engine_set, ...server };
  find("#engine-set", HTMLElement).textContent = text(server.engine_set ? "engineSet" : "ownEngines", set);
  const others = find("#other-sets", HTMLElement);
  others.hidden = server.engine_set !== "embedded";
  others.replaceChildren(...text("otherSets").split(COMMAND).map(marked));
}
