/** What tests ask of the layout: what scrolls, and what one can neither see nor scroll to. */
(() => {
  const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
  const visible = { checkVisibilityCSS: true, visibilityProperty: true };

  function* elements(root = document) {
    for (const element of root.querySelectorAll("*")) {
      yield element;
      if (element.shadowRoot) yield* elements(element.shadowRoot);
    }
  }

  let regions = []; // as `examine` found them last
  let stops = [];

  const nameOf = (element) =>
    element.id || `${element.localName}.${element.className} "${element.textContent.trim().slice(0, 20)}"`;
  /** Left to screen readers: it or what it is in is clipped to nothing. */
  function isClipped(element) {
    for (let at = element; at; at = at.parentElement) {
      if (getComputedStyle(at).clipPath === "inset(50%)") return true;
    }
    return false;
  }
  const isShown = (element) => element.checkVisibility(visible) && !isClipped(element);
  const scrolls = (overflow) => overflow === "auto" || overflow === "scroll";
  const canFocus = (element) =>
    element.matches(FOCUSABLE) && element.tabIndex >= 0 && !element.disabled && isShown(element);

  /** Every region but the document that one sees and can scroll now. */
  function findScrolling() {
    return [...elements()].filter((element) => {
      const { overflowY } = getComputedStyle(element);
      const overflows = element.scrollHeight > element.clientHeight;
      return element.clientHeight && overflows && scrolls(overflowY) && isShown(element);
    });
  }

  /** What no keyboard finds in a region that scrolls, in words; "" if nothing is missing. */
  function lacksStop(region) {
    if (!region.hasAttribute("tabindex")) {
      const inside = [...elements(region)].some(canFocus);
      return inside ? "" : "is no tab stop, nor is anything in it";
    }
    if (region.tabIndex < 0) return "is no tab stop";
    if (!region.computedName) return "is a tab stop without a name";
    return ["generic", "none"].includes(region.computedRole) ? "is a tab stop without a role" : "";
  }

  /** The region itself if it is a tab stop, else what in it takes the focus and leaves it the keys. */
  const stopsOf = (region) =>
    region.hasAttribute("tabindex")
      ? [region]
      : [...elements(region)].filter((each) => canFocus(each) && !each.matches("select, [type=range], [type=search]"));

  /** Wait until a key has brought a region to its end; false when the time is over. */
  async function reaches(number, key, waitMs) {
    const region = regions[number];
    const last = performance.now() + waitMs;
    do {
      const below = region.scrollHeight - region.clientHeight - region.scrollTop;
      if (key === "End" ? below <= 1 : region.scrollTop <= 0) return true;
      await new Promise(requestAnimationFrame);
    } while (performance.now() < last);
    return false;
  }

  /** The box in which an element's content may show: that of each ancestor that cuts it off. */
  function* cutting(element) {
    for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) {
      const { overflowX, overflowY, position } = getComputedStyle(at);
      if (scrolls(overflowX) || scrolls(overflowY)) return; // one can scroll to it
      if (overflowX !== "visible" || overflowY !== "visible") yield at.getBoundingClientRect();
      if (position === "fixed") {
        yield { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
        return;
      }
    }
  }

  /** Words and controls that are cut off, with no way to scroll to the rest. */
  function findCut() {
    const cut = [];
    for (const element of elements()) {
      const { textOverflow } = getComputedStyle(element);
      const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
      if (!(words || canFocus(element)) || textOverflow === "ellipsis") continue;
      if (!isShown(element) || element.closest("select, svg, title, script, style")) continue;
      const { left, top, right, bottom, width } = element.getBoundingClientRect();
      if (!width) continue;
      for (const box of cutting(element)) {
        const out = Math.max(box.left - left, right - box.right, box.top - top, bottom - box.bottom);
        if (out > 1) cut.push(`${nameOf(element)} is cut off by ${Math.round(out)} px`);
      }
    }
    return cut;
  }

  /** What must be scrolled sideways to be read. */
  function findWide() {
    const root = document.scrollingElement;
    const wide = findScrolling().filter((each) => each.scrollWidth > each.clientWidth);
    const page = root.scrollWidth > root.clientWidth ? [root] : [];
    return [...page, ...wide].map((each) => `${nameOf(each)} scrolls sideways`);
  }

  /** Faults, and each region that scrolls: its name, what it lacks, and the number of its stops. */
  function examine() {
    const faults = [...findCut(), ...findWide()];
    regions = findScrolling();
    stops = regions.map(stopsOf);
    const told = regions.map((each, number) => ({
      name: nameOf(each),
      lack: lacksStop(each),
      stops: stops[number].length,
    }));
    return { faults, regions: told };
  }

  /** Focus a stop of a region; both by number. */
  const focus = (region, stop) => stops[region][stop].focus();

  window.layout = { examine, focus, reaches };
})();
