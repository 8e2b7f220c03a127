/** The panel that copies, downloads or clears the captions; loaded when it is opened first, enabled here. */
import { find, findAll } from "./dom.js";
import { text } from "./i18n.js";
import { withLoaded } from "./loading.js";
import { saveFile } from "./save-file.js";

const COPIED_MS = 1500;
const load = () => Promise.all([import("./export.js"), import("./copy.js")]);

/**
 * @param {HTMLElement} panel
 * @param {import("./said.js").Said} said
 */
export function offerKeeping(panel, said) {
  const choice = find("#which", HTMLSelectElement, panel);
  const which = () => /** @type {import("./export.js").Which} */ (choice.value);
  const copy = find("#copy", HTMLButtonElement, panel);
  const download = findAll("[data-format]", HTMLButtonElement, panel);
  const forget = find("#forget", HTMLButtonElement, panel);
  const enable = () => {
    const nothing = said.understood.length === 0;
    for (const button of [copy, ...download]) button.disabled = nothing;
    forget.disabled = said.empty;
  };
  const prepare = () => {
    load().catch(() => {}); // before the click: a copy must follow it at once
    enable();
  };
  panel.addEventListener("beforetoggle", prepare);
  prepare();
  said.addEventListener("change", () => panel.matches(":popover-open") && enable());
  copy.addEventListener("click", () =>
    withLoaded(load, async ([{ toText }, { copyText }]) => {
      await copyText(toText(said.understood, which()));
      copy.textContent = text("copied");
      setTimeout(() => (copy.textContent = text("copy")), COPIED_MS);
    }),
  );
  for (const button of download) {
    button.addEventListener("click", () =>
      withLoaded(load, ([{ formats }]) => {
        const { format } = button.dataset;
        const { write, type } = formats[format];
        saveFile(`captions.${format}`, new Blob([write(said.understood, which())], { type }));
      }),
    );
  }
  forget.addEventListener("click", () => {
    said.forget();
    panel.hidePopover();
  });
}
