/** Keeps what is pressed before the page's module has come, and presses it again then. No module: it runs first. */
{
  /** @type {Set<HTMLButtonElement>} */ const pressed = new Set();
  const keep = (event) => {
    const button = event.target.closest("body button"); // not those of absent.js
    if (!button) return;
    event.preventDefault(); // no panel opens that has no words yet
    pressed.add(button);
  };
  addEventListener("click", keep, true);
  new MutationObserver((_, started) => {
    started.disconnect();
    removeEventListener("click", keep, true);
    for (const button of pressed) button.click();
  }).observe(document.documentElement, { attributeFilter: ["data-started"] });
}
