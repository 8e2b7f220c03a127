/** Elements of the markup by selector and kind: one that is missing, or another, is an error here. */

/**
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} kind
 * @param {ParentNode} [root]
 * @returns {T}
 */
export function find(selector, kind, root = document) {
  const found = root.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`There is no ${kind.name} for ${selector}.`);
}

/**
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} kind  of each
 * @param {ParentNode} [root]
 * @returns {T[]}
 */
export function findAll(selector, kind, root = document) {
  return /** @type {T[]} */ ([...root.querySelectorAll(selector)].filter((each) => each instanceof kind));
}
