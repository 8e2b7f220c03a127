/**
 * What pages need for a region that scrolls: a keyboard reaches it for as long as it overflows, and
 * it keeps its end in view while text is added.
 *
 * Some browsers make such a region a tab stop by themselves and some do not; which text overflows
 * depends on the fonts, the zoom and the size of the window. So the layout decides.
 */
const AT_END_PX = 48;

/**
 * Make a region a tab stop while there is more in it than one sees. Its role and its name are the
 * markup's, and so is a focusable element within it, which would do as well.
 *
 * @param {HTMLElement} region  with `overflow: auto` or `scroll`
 */
export function reachByKeyboard(region) {
  const update = () => {
    const { scrollHeight, clientHeight, scrollWidth, clientWidth } = region;
    if (scrollHeight > clientHeight || scrollWidth > clientWidth) region.tabIndex = 0;
    else if (!region.matches(":focus")) region.removeAttribute("tabindex"); // else the focus is lost
  };
  region.addEventListener("blur", update);
  watchLayout(region, update);
}

/**
 * Keep the end of a region in view, until the reader scrolls back; again once they are at its end.
 *
 * @param {HTMLElement} region  with `overflow-y: auto` or `scroll`
 */
export function followEnd(region) {
  let following = true;
  let last = region.scrollTop;
  const note = () => {
    const { scrollTop } = region;
    // The event comes a frame late: below the end there may be new text, which no reader left unread.
    if (region.scrollHeight - scrollTop - region.clientHeight < AT_END_PX) following = true;
    else if (scrollTop < last) following = false;
    last = scrollTop;
  };
  region.addEventListener("scroll", note, { passive: true });
  watchLayout(region, () => {
    if (following) region.scrollTop = region.scrollHeight;
    last = region.scrollTop;
  });
}

/**
 * Call back after each layout in which a region or one of its children has another size, or the
 * children are others.
 *
 * @param {HTMLElement} region
 * @param {() => void} changed
 */
function watchLayout(region, changed) {
  // Those of the region's own window: it lays out when the window shows, ours may be covered by it.
  const { ResizeObserver, MutationObserver } = region.ownerDocument.defaultView;
  const sizes = new ResizeObserver(changed);
  sizes.observe(region);
  for (const child of region.children) sizes.observe(child);
  new MutationObserver((changes) => {
    for (const { addedNodes, removedNodes } of changes) {
      for (const node of removedNodes) if (isElement(node)) sizes.unobserve(node);
      for (const node of addedNodes) if (isElement(node)) sizes.observe(node);
    }
    sizes.unobserve(region);
    sizes.observe(region); // which calls back once more: what was removed has no size to change
  }).observe(region, { childList: true });
}

/** In whatever window it stands. @param {Node} node @returns {node is Element} */
function isElement(node) {
  return node.nodeType === 1;
}
