/**
 * The interface's language, the words in the markup of a page, and the list to choose from: what was
 * chosen here before, else the browser's language, else English.
 */
import { findAll } from "./dom.js";
import "./focus.js"; // on every page
import {
  interfaceLanguage,
  interfaceLanguages,
  loadWords,
  nearest,
  ownName,
  speakInterface,
  text,
  useWords,
} from "./i18n.js";
import { withLoaded } from "./loading.js";
import { recall, remember } from "./prefs.js";

await speakInterface(nearest(recall("interface", "") || navigator.language));
await useWords("page");

/** Write the words that the markup names: `data-text`, `data-label`, `data-alt`, `data-placeholder`. */
export function renderTexts() {
  document.documentElement.lang = interfaceLanguage();
  document.documentElement.dataset.started = "";
  for (const node of findAll("[data-text]", HTMLElement)) node.textContent = text(node.dataset.text);
  for (const node of findAll("[data-alt]", HTMLImageElement)) node.alt = text(node.dataset.alt);
  for (const node of findAll("[data-placeholder]", HTMLInputElement)) {
    node.placeholder = text(node.dataset.placeholder);
  }
  for (const node of findAll("[data-label]", HTMLElement)) {
    node.setAttribute("aria-label", text(node.dataset.label));
    if (node.tagName === "BUTTON") node.title = text(node.dataset.label);
  }
}

/** Let a person choose the interface's language. @param {HTMLSelectElement} select  @param {() => void} render */
export function offerInterface(select, render) {
  const options = interfaceLanguages.map((code) => new Option(ownName(code), code));
  for (const option of options) option.lang = option.value;
  select.replaceChildren(...options);
  select.value = interfaceLanguage();
  let last = "";
  select.addEventListener("change", () => {
    const { value } = select;
    const load = () => {
      last = value; // also where it is tried again
      return loadWords(value).catch((error) => {
        if (last === value) select.value = interfaceLanguage();
        throw error;
      });
    };
    return withLoaded(load, async () => {
      if (last !== value) return;
      await speakInterface((select.value = value));
      remember("interface", value);
      render();
    });
  });
}
