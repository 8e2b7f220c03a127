/** The push-to-talk button: held by pointer or finger, or by the space bar anywhere on the page. */

/** Where the space bar has a meaning of its own. */
const TYPING = "input, select, textarea, summary, button:not(#talk), [popover]";

/**
 * @param {HTMLButtonElement} button  shown while it may be used
 * @param {(pressed: boolean) => void} onTalk
 * @returns {() => void} lets go
 */
export function holdToTalk(button, onTalk) {
  let pressed = false;
  const press = (wanted) => {
    if (wanted === pressed || (wanted && button.hidden)) return;
    pressed = wanted;
    button.classList.toggle("pressed", pressed);
    button.setAttribute("aria-pressed", String(pressed));
    onTalk(pressed);
  };
  button.addEventListener("pointerdown", (event) => {
    button.setPointerCapture(event.pointerId);
    press(true);
  });
  for (const end of ["pointerup", "pointercancel"]) button.addEventListener(end, () => press(false));
  button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch
  addEventListener("keydown", (event) => {
    if (event.key !== " " || button.hidden || event.target.closest?.(TYPING)) return;
    event.preventDefault();
    press(true);
  });
  addEventListener("keyup", (event) => {
    if (event.key === " ") press(false);
  });
  const release = () => press(false);
  addEventListener("blur", release);
  return release;
}
