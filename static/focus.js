/**
 * Keeps the place of the keyboard: where the control that has the focus is hidden or disabled, one beside it
 * takes the focus, else the one that had it before, else the page's main button. Browsers leave it nowhere.
 */
const RECENT = 8;
const early = /** @type {HTMLElement} */ (document.activeElement);
/** What had the focus, the newest first. */ let recent = early === document.body ? [] : [early];
/** Whether the newest lost it because somebody wanted that. */ let left = !recent.length;

addEventListener("focusin", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  recent = [target, ...recent.filter((each) => each !== target)].slice(0, RECENT);
  left = false;
});

addEventListener("focusout", ({ target }) => {
  left = usable(/** @type {HTMLElement} */ (target));
});

// Some browsers have taken the focus from there by now, some do so later.
new MutationObserver(() => {
  const [at] = recent;
  if (left || usable(at) || ![at, document.body].includes(/** @type {HTMLElement} */ (document.activeElement))) return;
  const beside = /** @type {NodeListOf<HTMLElement>} */ (at.parentElement?.querySelectorAll("button, input, select, a"));
  const main = /** @type {HTMLElement|null} */ (document.querySelector("#toggle:enabled"));
  ([...(beside ?? []), ...recent].find(usable) ?? main)?.focus();
}).observe(document, { subtree: true, attributeFilter: ["hidden", "disabled"] });

/** @param {HTMLElement} element */
function usable(element) {
  const shown = element.checkVisibility?.({ visibilityProperty: true }) ?? element.getClientRects().length > 0;
  return shown && !element.matches(":disabled");
}
