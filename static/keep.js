/** The panel that copies, downloads or clears the captions. */
import { text } from "./strings.js";

const COPIED_MS = 1500;

/**
 * @param {HTMLElement} panel
 * @param {() => import("./transcript.js").Segment[]} segments  what there is to keep
 * @param {() => void} forget
 */
export function offerKeeping(panel, segments, forget) {
  const which = panel.querySelector("#which");
  const copy = panel.querySelector("#copy");
  const download = [...panel.querySelectorAll("[data-format]")];
  /** @type {Promise<typeof import("./export.js")>} before the click: a copy must follow it at once */
  let files;
  panel.addEventListener("beforetoggle", () => {
    files ??= import("./export.js");
    const nothing = segments().length === 0;
    for (const button of [copy, ...download]) button.disabled = nothing;
  });
  copy.addEventListener("click", async () => {
    const { toText } = await files;
    await navigator.clipboard.writeText(toText(segments(), which.value));
    copy.textContent = text("copied");
    setTimeout(() => (copy.textContent = text("copy")), COPIED_MS);
  });
  for (const button of download) {
    button.addEventListener("click", async () => {
      const { format } = button.dataset;
      const { formats } = await files;
      const { write, type } = formats[format];
      save(`captions.${format}`, new Blob([write(segments(), which.value)], { type }));
    });
  }
  panel.querySelector("#forget").addEventListener("click", () => {
    forget();
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
