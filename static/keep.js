/** The panel that copies, downloads or clears the captions. */
import { find, findAll } from "./dom.js";
import { text } from "./i18n.js";

const COPIED_MS = 1500;

/**
 * @param {HTMLElement} panel
 * @param {import("./said.js").Said} said
 */
export function offerKeeping(panel, said) {
  const choice = find("#which", HTMLSelectElement, panel);
  const which = () => /** @type {import("./export.js").Which} */ (choice.value);
  const copy = find("#copy", HTMLButtonElement, panel);
  const download = findAll("[data-format]", HTMLButtonElement, panel);
  /** @type {Promise<typeof import("./export.js")>} before the click: a copy must follow it at once */
  let files;
  /** @type {Promise<typeof import("./copy.js")>} */
  let clipboard;
  panel.addEventListener("beforetoggle", () => {
    files ??= import("./export.js");
    clipboard ??= import("./copy.js");
    const nothing = said.understood.length === 0;
    for (const button of [copy, ...download]) button.disabled = nothing;
  });
  copy.addEventListener("click", async () => {
    const [{ toText }, { copyText }] = [await files, await clipboard];
    await copyText(toText(said.understood, which()));
    copy.textContent = text("copied");
    setTimeout(() => (copy.textContent = text("copy")), COPIED_MS);
  });
  for (const button of download) {
    button.addEventListener("click", async () => {
      const { format } = button.dataset;
      const { formats } = await files;
      const { write, type } = formats[format];
      save(`captions.${format}`, new Blob([write(said.understood, which())], { type }));
    });
  }
  find("#forget", HTMLButtonElement, panel).addEventListener("click", () => {
    said.forget();
    panel.hidePopover();
  });
}

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
