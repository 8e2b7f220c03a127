/** The clipboard, on pages that came over plain HTTP, too. */

/**
 * Copy a text. Must follow a click at once.
 *
 * Browsers offer `navigator.clipboard` to secure pages alone; elsewhere the older command copies
 * what is selected.
 * @param {string} copied
 * @returns {Promise<void>}
 */
export async function copyText(copied) {
  if (navigator.clipboard) return navigator.clipboard.writeText(copied);
  const field = document.createElement("textarea");
  field.value = copied;
  field.readOnly = true;
  field.style.position = "fixed";
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  // Everything outside an open dialog is inert, and cannot be selected.
  (focused?.parentElement ?? document.body).append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  focused?.focus();
}
