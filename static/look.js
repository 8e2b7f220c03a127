/**
 * How captions look: side by side or stacked, with the time, in large type, in high contrast; and
 * in a window of their own. Remembered on this device; what was never chosen follows the system.
 *
 * Sheets of style read it from attributes of the root element.
 */
import { findAll } from "./dom.js";
import { withLoaded } from "./loading.js";
import { recall, remember } from "./prefs.js";

const NARROW = matchMedia("(max-width: 40rem)");
const CONTRAST = matchMedia("(prefers-contrast: more)");

/** @param {HTMLElement} panel  with the controls "layout", "times", "large" and "contrast" */
export function offerLook(panel) {
  const chosen = recall("look", {});
  const apply = () => {
    const look = { layout: "sides", times: false, large: false, contrast: CONTRAST.matches, ...chosen };
    for (const control of findAll("[name]", HTMLInputElement, panel)) {
      const wanted = look[control.name];
      control.checked = control.type === "radio" ? control.value === wanted : wanted;
    }
    const root = document.documentElement;
    root.toggleAttribute("data-stacked", look.layout === "stacked" || NARROW.matches);
    for (const name of ["times", "large", "contrast"]) root.toggleAttribute(`data-${name}`, look[name]);
  };
  panel.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement && target.name)) return;
    chosen[target.name] = target.type === "radio" ? target.value : target.checked;
    remember("look", chosen);
    apply();
  });
  for (const query of [NARROW, CONTRAST]) query.addEventListener("change", apply);
  apply();
}

/**
 * The caption window, opened and closed by a button.
 *
 * @param {HTMLButtonElement} button
 * @param {Set<import("./captions.js").CaptionView>} views  what shows captions
 * @param {() => import("./transcript.js").Segment[]} segments  what was said so far
 * @param {() => void} blocked
 */
export function offerOverlay(button, views, segments, blocked) {
  /** @type {import("./overlay.js").Overlay|null} */ let overlay = null;
  const open = async ({ Overlay }) => {
    if (!overlay) {
      overlay = new Overlay();
      for (const type of ["open", "close"]) {
        overlay.addEventListener(type, () => button.setAttribute("aria-pressed", String(overlay.isOpen)));
      }
    }
    overlay.clear();
    for (const segment of segments()) overlay.show(segment);
    views.add(overlay);
    if (!(await overlay.open())) blocked();
  };
  button.addEventListener("click", () => {
    if (overlay?.isOpen) return overlay.close();
    return withLoaded(() => import("./overlay.js"), open);
  });
}
