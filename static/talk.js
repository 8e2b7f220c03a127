/** The push-to-talk button: held by pointer or finger, or by the space bar anywhere on the page. */

/** Where the space bar writes, or chooses: fields of text, and what is open over the page. */
const TYPING = "input:not([type=range]), textarea, [contenteditable], [popover]";
/** Whether this browser tells an open list from one that is shut. */
const TELLS_OPEN = CSS.supports("selector(:open)");

/** Whether a key that is pressed there is meant for what is there. @param {EventTarget} target */
function isTyping(target) {
  if (!(target instanceof Element)) return false;
  return target.closest(TYPING) !== null || (TELLS_OPEN && target.matches("select:open"));
}

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
    if (event.key !== " " || button.hidden || isTyping(event.target)) return;
    event.preventDefault();
    press(true);
  });
  addEventListener("keyup", (event) => {
    if (event.key !== " ") return;
    if (pressed) event.preventDefault(); // else Firefox presses the button that has the focus
    press(false);
  });
  const release = () => press(false);
  addEventListener("blur", release);
  return release;
}
