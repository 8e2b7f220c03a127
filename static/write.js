/**
 * Write a text only where it is another one: a screen reader announces what is written into a live
 * region, the same words included.
 *
 * @param {HTMLElement} element
 * @param {string} words
 */
export function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}
