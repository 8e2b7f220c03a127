/** The header of the page, which on a phone has no room for what one seldom sets. */

const NARROW = matchMedia("(max-width: 40rem)");

/**
 * Have a field in the settings on a phone, and in the header elsewhere.
 *
 * @param {HTMLElement} field
 * @param {HTMLElement} before  what follows it in the header
 * @param {HTMLElement} title  of the settings, which it follows there
 */
export function settleHeader(field, before, title) {
  const settle = () => (NARROW.matches ? title.after(field) : before.before(field));
  NARROW.addEventListener("change", settle);
  settle();
}
